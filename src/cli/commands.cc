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

constexpr auto kGlobalOptions = not_empty_options<GlobalOptions>({
    option<&GlobalOptions::root>("root", 0, "DIR",
                                 "directory for the state of containers (default: /run/onggi; "
                                 "$XDG_RUNTIME_DIR/onggi for rootless users)"),
    option<&GlobalOptions::log>("log", 0, "FILE", "also append errors to this file"),
    option<&GlobalOptions::log_format>("log-format", 0, "text|json",
                                       "format of the log (default: text)"),
    option<&GlobalOptions::log_level>("log-level", 0, "error|warning|info|debug",
                                      "lowest level that is logged (default: error)"),
    shorthand<&GlobalOptions::log_level, log::Level::debug>("debug", 0,
                                                            "same as --log-level debug"),
    option<&GlobalOptions::cgroup_manager>("cgroup-manager", 0, "cgroupfs|systemd|disabled",
                                           "how cgroups are created (default: cgroupfs)"),
    shorthand<&GlobalOptions::cgroup_manager, CgroupManager::systemd>(
        "systemd-cgroup", 0, "same as --cgroup-manager systemd"),
    option<&GlobalOptions::rootless>("rootless", 0, "auto|true|false",
                                     "continue without cgroups if they cannot be created (default: "
                                     "auto: only for rootless users)"),
    option<&GlobalOptions::timing>("timing", 0, nullptr,
                                   "print on standard error how long each phase took"),
    option<&GlobalOptions::version>("version", 'v', nullptr, "show the version"),
    option<&GlobalOptions::version>("", 'V', nullptr, "same as --version"),
});

constexpr auto kBundleOptions = not_empty_options<CreateOptions>({
    option<&CreateOptions::bundle>("bundle", 'b', "DIR",
                                   "path of the bundle (default: current directory)"),
    option<&CreateOptions::config>(
        "config", 'f', "FILE", "configuration file, relative to the bundle (default: config.json)"),
    option<&CreateOptions::strict>("strict", 0, nullptr,
                                   "fail on unknown keys and capabilities, unsupported annotations "
                                   "and relative mount destinations instead of ignoring them"),
});

constexpr auto kCreateOptions =
    kBundleOptions +
    not_empty_options<CreateOptions>({
        option<&CreateOptions::console_socket>("console-socket", 0, "SOCKET",
                                               "send the terminal to this socket"),
        option<&CreateOptions::pid_file>("pid-file", 0, "FILE",
                                         "write the process ID to this file"),
        option<&CreateOptions::preserve_fds>(
            "preserve-fds", 0, "N",
            "pass N file descriptors, starting at 3, to the program (default: 0)"),
        option<&CreateOptions::no_pivot>("no-pivot", 0, nullptr,
                                         "move the root mount instead of calling pivot_root(2)"),
        option<&CreateOptions::no_new_keyring>("no-new-keyring", 0, nullptr,
                                               "keep the caller's session keyring"),
        option<&CreateOptions::pidfd_socket>(
            "pidfd-socket", 0, "SOCKET",
            "send a pidfd of the container's first process to this socket"),
        option<&CreateOptions::no_subreaper>("no-subreaper", 0, nullptr,
                                             "do not become the parent of orphaned container "
                                             "processes (only run without --detach does)"),
    });

constexpr auto kRunOptions =
    kCreateOptions +
    not_empty_options<CreateOptions>({
        option<&CreateOptions::detach>("detach", 'd', nullptr,
                                       "return as soon as the container is running"),
        option<&CreateOptions::keep>("keep", 0, nullptr, "keep the container after it has stopped"),
    });

constexpr auto kExecOptions = not_empty_options<ExecFlags>({
    option<&ExecFlags::process>("process", 'p', "FILE",
                                "file with the process as JSON, like config.json's process object"),
    option<&ExecFlags::cwd>("cwd", 0, "DIR", "working directory in the container"),
    option<&ExecFlags::env>("env", 'e', "NAME=VALUE", "set an environment variable (repeatable)"),
    option<&ExecFlags::tty>("tty", 't', nullptr, "give the program a terminal"),
    option<&ExecFlags::user>("user", 'u', "UID[:GID]", "run as this user and group"),
    option<&ExecFlags::additional_gids>("additional-gids", 'g', "GID",
                                        "additional group ID (repeatable)"),
    option<&ExecFlags::capabilities>(
        "cap", 'c', "CAP",
        "add a capability to the bounding, permitted and effective sets (repeatable)"),
    option<&ExecFlags::no_new_privileges>("no-new-privs", 0, nullptr,
                                          "set no_new_privs: execve(2) grants no privileges"),
    option<&ExecFlags::selinux_label>("process-label", 0, "LABEL", "SELinux label"),
    option<&ExecFlags::apparmor_profile>("apparmor", 0, "PROFILE", "AppArmor profile"),
    option<&ExecFlags::detach>("detach", 'd', nullptr, "return as soon as the program is running"),
    option<&ExecFlags::console_socket>("console-socket", 0, "SOCKET",
                                       "send the terminal to this socket"),
    option<&ExecFlags::pid_file>("pid-file", 0, "FILE", "write the process ID to this file"),
    option<&ExecFlags::preserve_fds>(
        "preserve-fds", 0, "N",
        "pass N file descriptors, starting at 3, to the program (default: 0)"),
    option<&ExecFlags::cgroups>(
        "cgroup", 0, "[CONTROLLER,...:]PATH",
        "run in this cgroup, relative to the container's cgroup (repeatable)"),
    option<&ExecFlags::ignore_paused>(
        "ignore-paused", 0, nullptr,
        "allow exec in a paused container; the program starts when it is resumed"),
    option<&ExecFlags::pidfd_socket>("pidfd-socket", 0, "SOCKET",
                                     "send a pidfd of the program to this socket"),
});

constexpr const char* kRegexHelp =
    "treat CONTAINER-ID as an extended regular expression that selects containers";

constexpr auto kKillOptions = not_empty_options<KillOptions>({
    option<&KillOptions::all>("all", 'a', nullptr,
                              "signal every process of the container, not only the first"),
    option<&KillOptions::regex>("regex", 'r', nullptr, kRegexHelp),
});

constexpr auto kDeleteOptions = not_empty_options<DeleteOptions>({
    option<&DeleteOptions::force>("force", 'f', nullptr,
                                  "kill a running container first; ignore a missing container"),
    option<&DeleteOptions::regex>("regex", 'r', nullptr, kRegexHelp),
});

constexpr auto kListOptions = not_empty_options<ListOptions>({
    option<&ListOptions::format>("format", 'f', "table|json", "output format (default: table)"),
    option<&ListOptions::quiet>("quiet", 'q', nullptr, "print container IDs only"),
});

constexpr auto kSpecOptions = not_empty_options<SpecOptions>({
    option<&SpecOptions::bundle>("bundle", 'b', "DIR",
                                 "directory to write to (default: current directory)"),
    option<&SpecOptions::config>("config", 'f', "FILE",
                                 "file name, relative to the bundle (default: config.json)"),
    option<&SpecOptions::rootless>(
        "rootless", 0, nullptr, "write a configuration that the calling user can run without root"),
});

constexpr auto kEventsOptions = not_empty_options<EventsOptions>({
    option<&EventsOptions::interval>("interval", 0, "TIME",
                                     "time between statistics, such as 500ms or 1m30s; a bare "
                                     "number is seconds (default: 5s)"),
    option<&EventsOptions::stats>("stats", 0, nullptr, "print statistics once and exit"),
});

constexpr auto kPsOptions = not_empty_options<PsOptions>({
    option<&PsOptions::format>("format", 'f', "table|json",
                               "ps(1) table, or the PIDs as JSON (default: table)"),
});

constexpr auto kUpdateOptions = not_empty_options<UpdateOptions>({
    option<&UpdateOptions::resources>("resources", 'r', "FILE",
                                      "file with limits as JSON, like config.json's "
                                      "linux.resources object; - reads standard input"),
    option<&UpdateOptions::memory>("memory", 0, "SIZE",
                                   "memory limit, such as 512m or 2g; -1: unlimited"),
    option<&UpdateOptions::memory_reservation>("memory-reservation", 0, "SIZE",
                                               "memory protected from reclaim"),
    option<&UpdateOptions::memory_swap>("memory-swap", 0, "SIZE",
                                        "limit for memory plus swap; -1: unlimited"),
    option<&UpdateOptions::cpu_shares>("cpu-share", 0, "N", "CPU weight, 2 to 262144; 0: leave it"),
    option<&UpdateOptions::cpu_quota>(
        "cpu-quota", 0, "N", "CPU time per period, in microseconds, at least 1000; -1: unlimited"),
    option<&UpdateOptions::cpu_period>(
        "cpu-period", 0, "N", "length of the CPU period, in microseconds, 1000 to 1000000"),
    option<&UpdateOptions::cpu_burst>(
        "cpu-burst", 0, "N", "unused CPU time that later periods may use, in microseconds"),
    option<&UpdateOptions::cpu_idle>("cpu-idle", 0, "0|1",
                                     "1: run only when the CPU is otherwise idle"),
    option<&UpdateOptions::cpu_realtime_period>(
        "cpu-rt-period", 0, "N", "length of the real-time period, in microseconds; cgroup v1 only"),
    option<&UpdateOptions::cpu_realtime_runtime>(
        "cpu-rt-runtime", 0, "N", "real-time CPU time per period, in microseconds; cgroup v1 only"),
    option<&UpdateOptions::cpuset_cpus>("cpuset-cpus", 0, "LIST", "CPUs to run on, such as 0-3,7"),
    option<&UpdateOptions::cpuset_mems>("cpuset-mems", 0, "LIST",
                                        "memory nodes to allocate from, such as 0-1"),
    option<&UpdateOptions::block_weight>("blkio-weight", 0, "N", "I/O weight, 10 to 1000"),
    option<&UpdateOptions::pids_limit>("pids-limit", 0, "N",
                                       "maximum number of processes; -1: unlimited"),
    option<&UpdateOptions::kernel_memory>("kernel-memory", 0, "SIZE", nullptr),
    option<&UpdateOptions::kernel_memory_tcp>("kernel-memory-tcp", 0, "SIZE", nullptr),
    option<&UpdateOptions::l3_cache_schema>(
        "l3-cache-schema", 0, "SCHEMA",
        "L3 cache schema of the resctrl group, such as L3:0=7f0;1=1f"),
    option<&UpdateOptions::memory_bandwidth_schema>(
        "mem-bw-schema", 0, "SCHEMA",
        "memory bandwidth schema of the resctrl group, such as MB:0=20"),
});

constexpr auto kNoOptions = no_options<NoOptions>();

template <const auto& Table, auto Function>
constexpr Command command(const char* name, const char* operands, const char* summary,
                          int failure_status = 1) {
  return basic_command<GlobalOptions, Table, Function>(name, operands, summary, failure_status);
}

constexpr Command kCommands[] = {
    command<kCreateOptions, create>("create", "CONTAINER-ID",
                                    "create a container; start runs its program"),
    command<kNoOptions, start>("start", "CONTAINER-ID", "start a created container"),
    command<kRunOptions, run_command>("run", "CONTAINER-ID",
                                      "create and start a container, and wait until it exits"),
    command<kExecOptions, exec_command>("exec", "CONTAINER-ID [ARGUMENT...]",
                                        "run another program in a container", 255),
    command<kNoOptions, state>("state", "CONTAINER-ID", "print the state of a container as JSON"),
    command<kKillOptions, kill_command>("kill", "CONTAINER-ID [SIGNAL]",
                                        "send a signal to a container (default: TERM)"),
    command<kDeleteOptions, delete_command>("delete", "CONTAINER-ID", "delete a stopped container"),
    command<kNoOptions, pause>("pause", "CONTAINER-ID", "suspend all processes of a container"),
    command<kNoOptions, resume>("resume", "CONTAINER-ID", "resume a paused container"),
    command<kPsOptions, ps_command>("ps", "CONTAINER-ID [PS-OPTION...]",
                                    "list the processes of a container"),
    command<kEventsOptions, events_command>(
        "events", "CONTAINER-ID",
        "print statistics periodically, and out-of-memory kills as they happen"),
    command<kUpdateOptions, update_command>("update", "CONTAINER-ID",
                                            "change the limits of a container"),
    command<kListOptions, list>("list", "", "list containers"),
    command<kSpecOptions, spec_command>("spec", "", "write a template config.json"),
    command<kNoOptions, features>("features", "", "print the features of this runtime as JSON"),
    command<kBundleOptions, plan_command>("plan", "[CONTAINER-ID]",
                                          "print what create would do, without doing it"),
    command<kNoOptions, help<GlobalOptions>>("help", "[COMMAND]", "show help"),
    command<kNoOptions, completion<GlobalOptions>>("completion", "bash",
                                                   "print a shell completion script"),
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

constexpr OtherName kOtherNames[] = {
    {"rm", nullptr, "use 'onggi delete'"},
    {"remove", nullptr, "use 'onggi delete'"},
    {"version", nullptr, "use 'onggi --version'"},
    {"ls", nullptr, "use 'onggi list'"},
    {"stop", nullptr, "use 'onggi kill'"},
    {"inspect", nullptr, "use 'onggi state'"},
    {"stats", nullptr, "use 'onggi events --stats'"},
    {"unpause", nullptr, "use 'onggi resume'"},
};

}  // namespace

Program program() {
  return {"onggi",
          "Runs containers as defined by the OCI runtime specification.",
          kVersion,
          "container runtime for the OCI runtime specification",
          kDescription,
          kExitStatus,
          kGlobalOptions,
          rows_of<GlobalOptions>(kCommands),
          {{"CONTAINER-ID", "$(onggi list --quiet 2>/dev/null)"}},
          kOtherNames,
          {{"kill", "-s --signal -n -1 -2 -3 -9 -K -T -H -I -Q",
            "the signal is an argument: onggi kill ID KILL"}}};
}

}  // namespace onggi::cli
