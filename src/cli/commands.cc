// SPDX-License-Identifier: Apache-2.0
// All tables of the command line. Names and letters are those that engines pass to other OCI
// runtimes.
#include "cli/about.h"
#include "cli/command.h"
#include "cli/container_commands.h"
#include "cli/events.h"
#include "cli/exec.h"
#include "cli/ps.h"
#include "cli/update.h"
#include "cli/version.h"

namespace onggi::cli {
namespace {

constexpr auto kGlobalOptions = options<GlobalOptions>({
    option<&GlobalOptions::root>("root", 0, "DIR",
                                 "where the state of containers is kept (default: /run/onggi, or "
                                 "$XDG_RUNTIME_DIR/onggi for an ordinary user)"),
    option<&GlobalOptions::log>("log", 0, "FILE", "append errors to this file as well"),
    option<&GlobalOptions::log_format>("log-format", 0, "text|json",
                                       "form of the log (default: text)"),
    option<&GlobalOptions::log_level>("log-level", 0, "error|warning|info|debug",
                                      "least weight of what is logged (default: error)"),
    shorthand<&GlobalOptions::log_level, log::Level::debug>("debug", 0,
                                                            "the same as --log-level debug"),
    option<&GlobalOptions::cgroup_manager>("cgroup-manager", 0, "cgroupfs|systemd|disabled",
                                           "who makes the cgroups (default: cgroupfs)"),
    shorthand<&GlobalOptions::cgroup_manager, CgroupManager::systemd>(
        "systemd-cgroup", 0, "the same as --cgroup-manager systemd"),
    option<&GlobalOptions::rootless>(
        "rootless", 0, "auto|true|false",
        "go without a cgroup that the host refuses (default: auto, which is unless root)"),
    option<&GlobalOptions::timing>("timing", 0, nullptr,
                                   "tell on standard error where the command's time went"),
    option<&GlobalOptions::version>("version", 'v', nullptr, "show the version"),
    option<&GlobalOptions::version>("", 'V', nullptr, "the same"),
});

constexpr auto kBundleOptions = options<CreateOptions>({
    option<&CreateOptions::bundle>("bundle", 'b', "DIR",
                                   "the bundle (default: the current directory)"),
    option<&CreateOptions::config>("config", 'f', "FILE",
                                   "configuration, relative to the bundle (default: config.json)"),
    option<&CreateOptions::strict>("strict", 0, nullptr,
                                   "fail on misspelt keys and unsupported annotations instead of "
                                   "ignoring them with a warning"),
});

constexpr auto kCreateOptions =
    kBundleOptions +
    options<CreateOptions>({
        option<&CreateOptions::console_socket>("console-socket", 0, "SOCKET",
                                               "send the terminal to this socket"),
        option<&CreateOptions::pid_file>("pid-file", 0, "FILE",
                                         "write the process id to this file"),
        option<&CreateOptions::preserve_fds>("preserve-fds", 0, "N",
                                             "keep N descriptors, from 3 on, open"),
        option<&CreateOptions::no_pivot>("no-pivot", 0, nullptr,
                                         "move the root mount instead of pivot_root"),
        option<&CreateOptions::no_new_keyring>("no-new-keyring", 0, nullptr,
                                               "keep the session keyring"),
        option<&CreateOptions::pidfd_socket>("pidfd-socket", 0, "SOCKET",
                                             "send a pidfd of the first process to this socket"),
        option<&CreateOptions::no_subreaper>("no-subreaper", 0, nullptr,
                                             "do not adopt processes that the container leaves "
                                             "behind, as only run in the foreground does"),
    });

constexpr auto kRunOptions =
    kCreateOptions +
    options<CreateOptions>({
        option<&CreateOptions::detach>("detach", 'd', nullptr, "return once the container runs"),
        option<&CreateOptions::keep>("keep", 0, nullptr, "do not delete the stopped container"),
    });

constexpr auto kExecOptions = options<ExecFlags>({
    option<&ExecFlags::process>("process", 'p', "FILE",
                                "the process as JSON (the object process of config.json)"),
    option<&ExecFlags::cwd>("cwd", 0, "DIR", "working directory in the container"),
    option<&ExecFlags::env>("env", 'e', "NAME=VALUE", "add to the environment (repeatable)"),
    option<&ExecFlags::tty>("tty", 't', nullptr, "give the program a terminal"),
    option<&ExecFlags::user>("user", 'u', "UID[:GID]", "run as this user and group"),
    option<&ExecFlags::additional_gids>("additional-gids", 'g', "GID",
                                        "a further group (repeatable)"),
    option<&ExecFlags::capabilities>("cap", 'c', "CAP",
                                     "add to the bounding, permitted and effective capabilities "
                                     "(repeatable)"),
    option<&ExecFlags::no_new_privileges>("no-new-privs", 0, nullptr,
                                          "no new privileges by execve"),
    option<&ExecFlags::selinux_label>("process-label", 0, "LABEL", "SELinux label"),
    option<&ExecFlags::apparmor_profile>("apparmor", 0, "PROFILE", "AppArmor profile"),
    option<&ExecFlags::detach>("detach", 'd', nullptr, "return once the program runs"),
    option<&ExecFlags::console_socket>("console-socket", 0, "SOCKET",
                                       "send the terminal to this socket"),
    option<&ExecFlags::pid_file>("pid-file", 0, "FILE", "write the process id to this file"),
    option<&ExecFlags::preserve_fds>("preserve-fds", 0, "N", "keep N descriptors, from 3 on, open"),
    option<&ExecFlags::cgroups>("cgroup", 0, "[CONTROLLER,...:]PATH",
                                "run in this cgroup below the container's (repeatable)"),
    option<&ExecFlags::ignore_paused>("ignore-paused", 0, nullptr,
                                      "in a paused container, too; the program runs once it is "
                                      "resumed"),
    option<&ExecFlags::pidfd_socket>("pidfd-socket", 0, "SOCKET",
                                     "send a pidfd of the program to this socket"),
});

constexpr const char* kRegexHelp =
    "CONTAINER-ID is an extended regular expression: all containers whose ids it matches";

constexpr auto kKillOptions = options<KillOptions>({
    option<&KillOptions::all>("all", 'a', nullptr,
                              "signal every process of the container, not only the first"),
    option<&KillOptions::regex>("regex", 'r', nullptr, kRegexHelp),
});

constexpr auto kDeleteOptions = options<DeleteOptions>({
    option<&DeleteOptions::force>("force", 'f', nullptr,
                                  "kill it first; a container that is not there is no error"),
    option<&DeleteOptions::regex>("regex", 'r', nullptr, kRegexHelp),
});

constexpr auto kListOptions = options<ListOptions>({
    option<&ListOptions::format>("format", 'f', "table|json", "form of the list (default: table)"),
    option<&ListOptions::quiet>("quiet", 'q', nullptr, "ids only"),
});

constexpr auto kSpecOptions = options<SpecOptions>({
    option<&SpecOptions::bundle>("bundle", 'b', "DIR",
                                 "where to write it (default: the current directory)"),
    option<&SpecOptions::config>("config", 'f', "FILE",
                                 "its name, relative to the bundle (default: config.json)"),
    option<&SpecOptions::rootless>("rootless", 0, nullptr, "one that this ordinary user can run"),
});

constexpr auto kEventsOptions = options<EventsOptions>({
    option<&EventsOptions::interval>("interval", 0, "SECONDS",
                                     "time between statistics (default: 5)"),
    option<&EventsOptions::stats>("stats", 0, nullptr, "print statistics once and end"),
});

constexpr auto kPsOptions = options<PsOptions>({
    option<&PsOptions::format>("format", 'f', "table|json",
                               "a table by ps(1), or the pids alone (default: table)"),
});

constexpr auto kUpdateOptions = options<UpdateOptions>({
    option<&UpdateOptions::resources>("resources", 'r', "FILE",
                                      "read all limits as JSON (the object linux.resources) from a "
                                      "file, or - for standard input"),
    option<&UpdateOptions::memory>("memory", 0, "SIZE", "memory limit; 512m, 2g, -1: unlimited"),
    option<&UpdateOptions::memory_reservation>("memory-reservation", 0, "SIZE",
                                               "memory that is kept from reclaim"),
    option<&UpdateOptions::memory_swap>("memory-swap", 0, "SIZE", "memory and swap together"),
    option<&UpdateOptions::cpu_shares>("cpu-share", 0, "N", "weight, 2 to 262144"),
    option<&UpdateOptions::cpu_quota>("cpu-quota", 0, "N", "microseconds a period; -1: unlimited"),
    option<&UpdateOptions::cpu_period>("cpu-period", 0, "N", "microseconds"),
    option<&UpdateOptions::cpu_burst>("cpu-burst", 0, "N",
                                      "microseconds that may be saved up for later periods"),
    option<&UpdateOptions::cpu_idle>("cpu-idle", 0, "0|1", "run only when nothing else does"),
    option<&UpdateOptions::cpu_realtime_period>("cpu-rt-period", 0, "N", "microseconds; v1 only"),
    option<&UpdateOptions::cpu_realtime_runtime>("cpu-rt-runtime", 0, "N", "microseconds; v1 only"),
    option<&UpdateOptions::cpuset_cpus>("cpuset-cpus", 0, "LIST", "CPUs, such as 0-3,7"),
    option<&UpdateOptions::cpuset_mems>("cpuset-mems", 0, "LIST", "memory nodes"),
    option<&UpdateOptions::block_weight>("blkio-weight", 0, "N", "weight of I/O, 10 to 1000"),
    option<&UpdateOptions::pids_limit>("pids-limit", 0, "N", "processes; -1: unlimited"),
    option<&UpdateOptions::kernel_memory>("kernel-memory", 0, "SIZE", nullptr),
    option<&UpdateOptions::kernel_memory_tcp>("kernel-memory-tcp", 0, "SIZE", nullptr),
    option<&UpdateOptions::l3_cache_schema>("l3-cache-schema", 0, "SCHEMA",
                                            "of the class of service, such as L3:0=7f0;1=1f"),
    option<&UpdateOptions::memory_bandwidth_schema>("mem-bw-schema", 0, "SCHEMA",
                                                    "of the class of service, such as MB:0=20"),
});

constexpr auto kNoOptions = no_options<NoOptions>();

template <const auto& Table, auto Function>
constexpr Command command(const char* name, const char* operands, const char* summary,
                          int failure_status = 1) {
  return basic_command<GlobalOptions, Table, Function>(name, operands, summary, failure_status);
}

constexpr Command kCommands[] = {
    command<kCreateOptions, create>("create", "CONTAINER-ID", "create a container, ready to start"),
    command<kNoOptions, start>("start", "CONTAINER-ID", "start a created container"),
    command<kRunOptions, run_command>("run", "CONTAINER-ID",
                                      "create and start a container, and wait for its end"),
    command<kExecOptions, exec_command>("exec", "CONTAINER-ID [ARGUMENT...]",
                                        "run another program in a container", 255),
    command<kNoOptions, state>("state", "CONTAINER-ID", "print the state of a container as JSON"),
    command<kKillOptions, kill_command>("kill", "CONTAINER-ID [SIGNAL]",
                                        "send a signal (default: TERM)"),
    command<kDeleteOptions, delete_command>("delete", "CONTAINER-ID", "delete a stopped container"),
    command<kNoOptions, pause>("pause", "CONTAINER-ID", "stop all processes of a container"),
    command<kNoOptions, resume>("resume", "CONTAINER-ID", "let a paused container go on"),
    command<kPsOptions, ps_command>("ps", "CONTAINER-ID [PS-OPTION...]",
                                    "list the processes of a container"),
    command<kEventsOptions, events_command>(
        "events", "CONTAINER-ID", "print statistics and out-of-memory kills as they come"),
    command<kUpdateOptions, update_command>("update", "CONTAINER-ID",
                                            "change the limits of a container"),
    command<kListOptions, list>("list", "", "list containers"),
    command<kSpecOptions, spec_command>("spec", "", "write a config.json to start from"),
    command<kNoOptions, features>("features", "", "print what this runtime supports as JSON"),
    command<kBundleOptions, plan_command>("plan", "[CONTAINER-ID]", "print what create would do"),
    command<kNoOptions, help<GlobalOptions>>("help", "[COMMAND]", "show help"),
    command<kNoOptions, completion<GlobalOptions>>("completion", "bash",
                                                   "print the completion script for a shell"),
    command<kNoOptions, man<GlobalOptions>>("man", "", "print the manual page"),
    basic_planned_command<GlobalOptions>("checkpoint"),
    basic_planned_command<GlobalOptions>("restore"),
};

constexpr std::string_view kDescription =
    "Creates and runs containers from bundles: a directory with a\n.I config.json\nand a root "
    "filesystem. "
    "Container engines call it in place of other low\\-level runtimes.\n";
constexpr std::string_view kExitStatus =
    "\\fBrun\\fR without \\fB\\-\\-detach\\fR: the status of the container's program, or 128 "
    "plus the number of the "
    "signal that ended it. Otherwise 0 on success and 1 on failure.\n";

}  // namespace

Program program() {
  return {"onggi",
          "Runs containers by the OCI runtime specification.",
          kVersion,
          "container runtime for the OCI runtime specification",
          kDescription,
          kExitStatus,
          kGlobalOptions,
          rows_of<GlobalOptions>(kCommands),
          {{"CONTAINER-ID", "$(onggi list --quiet 2>/dev/null)"}}};
}

}  // namespace onggi::cli
