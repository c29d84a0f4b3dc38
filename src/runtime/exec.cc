// SPDX-License-Identifier: Apache-2.0
// A further program in a container, from the configuration that was saved at `create`: later edits
// of the bundle change nothing. No lock is held, since a program may run for long; who deletes the
// container meanwhile ends the program, too.
#include "base/timing.h"
#include "cgroups/further_process.h"
#include "cgroups/out_of_memory.h"
#include "linux/probe.h"
#include "linux/process_status.h"
#include "linux/seccomp_cache.h"
#include "linux/signals.h"
#include "linux/user_namespace.h"
#include "runtime/announcement.h"
#include "runtime/blueprint.h"
#include "runtime/container_hooks.h"
#include "runtime/foreground.h"
#include "runtime/seccomp_notify.h"
#include "runtime/state_dir.h"
#include "spec/validate.h"

#include <linux/prctl.h>

#include <algorithm>

namespace onggi {
namespace {

Result<> check_status(Status status, bool ignore_paused) {
  if (status == Status::creating)
    return state_error("cannot exec in a container that is still being created");
  if (status == Status::stopped) return state_error("cannot exec in a stopped container");
  if (status != Status::paused || ignore_paused) return {};
  return with_hint(state_error("cannot exec in a paused container"),
                   "resume it, or pass --ignore-paused");
}

void add_capabilities(spec::Process& process, uint64_t more) {
  if (more == 0) return;
  spec::Capabilities& sets =
      process.capabilities ? *process.capabilities : process.capabilities.emplace();
  // Not inheritable: the program's children would regain them from files (CVE-2022-29162).
  for (uint64_t* set : {&sets.bounding, &sets.permitted, &sets.effective}) *set |= more;
  // A user other than root keeps over execve(2) only what is ambient, and that has to be
  // inheritable (capabilities(7)): the configuration says which may be. As runc.
  sets.ambient |= more & sets.inheritable;
}

// The container's own process with the changes of `options`, whose text it refers to.
void change_process(spec::Process& process, const ExecOptions& options) {
  process.terminal = options.terminal;
  process.args.assign(options.args.begin(), options.args.end());
  process.env.insert(process.env.end(), options.env.begin(), options.env.end());
  if (!options.cwd.empty()) process.cwd = options.cwd;
  if (process.cwd.empty()) process.cwd = "/";  // the container has no process of its own
  if (!options.selinux_label.empty()) process.selinux_label = options.selinux_label;
  if (!options.apparmor_profile.empty()) process.apparmor_profile = options.apparmor_profile;
  process.user.uid = options.uid.value_or(process.user.uid);
  process.user.gid = options.gid.value_or(process.user.gid);
  process.user.additional_gids.insert(process.user.additional_gids.end(),
                                      options.additional_gids.begin(),
                                      options.additional_gids.end());
  process.no_new_privileges = options.no_new_privileges.value_or(process.no_new_privileges);
  add_capabilities(process, options.capabilities);
}

// What a document leaves out is the container's where it protects: as with other runtimes, which
// engines rely on.
spec::Process complete(spec::Process process, const std::optional<spec::Process>& of_container) {
  if (!of_container) return process;
  if (!process.capabilities) process.capabilities = of_container->capabilities;
  if (process.apparmor_profile.empty()) process.apparmor_profile = of_container->apparmor_profile;
  if (process.selinux_label.empty()) process.selinux_label = of_container->selinux_label;
  if (!process.oom_score_adj) process.oom_score_adj = of_container->oom_score_adj;
  return process;
}

// No side effects.
Result<Blueprint> read_exec_blueprint(const StateDir& directory, const Record& record,
                                      const ExecOptions& options) {
  Blueprint blueprint;
  blueprint.bundle = record.bundle;
  blueprint.spec = TRY(saved_spec(directory));
  blueprint.spec.ignored.clear();  // `create` has told
  std::optional<spec::Process>& process = blueprint.spec.process;
  if (options.document) {
    process = complete(*options.document->process, process);
    process->terminal = process->terminal || options.terminal;
    blueprint.spec.ignored = options.document->ignored;
  } else {
    change_process(process ? *process : process.emplace(), options);
  }
  TRY(spec::validate_process(blueprint.spec));
  TRY(probe_host(blueprint.facts));
  const bool user_namespace = std::ranges::any_of(
      blueprint.spec.linux.namespaces,
      [](const spec::Namespace& entry) { return entry.type == spec::NamespaceType::user; });
  if (user_namespace) blueprint.facts.joined_user = TRY(probe_user_namespace_of(record.pid));
  blueprint.launch.id = record.id;
  blueprint.launch.preserve_fds = options.preserve_fds;
  blueprint.launch.no_new_keyring = !record.new_keyring;
  blueprint.plan = plan::build_exec(blueprint.spec, blueprint.facts, blueprint.launch);
  return blueprint;
}

// All borrowed.
struct Surroundings {
  ProcessHandle first;  // the container's first process
  int console, signals;
};

// Init, born in the container's cgroup or going there by itself.
Result<Init> launch_into(const cgroups::Membership& membership, const Blueprint& blueprint,
                         const Surroundings& around) {
  return launch(blueprint.plan,
                {.tasks = membership.tasks,
                 .unified_cgroup = membership.unified ? membership.unified.get() : -1,
                 .console = around.console,
                 .first_process = around.first,
                 .first_private = 3 + blueprint.launch.preserve_fds,
                 .signals = around.signals});
}

Result<Init> launch_in_container(const Record& record, const Blueprint& blueprint,
                                 const ExecOptions& options, const Surroundings& around) {
  cgroups::Membership membership = TRY(cgroups::open_subgroups(record.cgroup, options.cgroups));
  Result<Init> init = launch_into(membership, blueprint, around);
  if (init || init.error().errnum != EBUSY || !options.cgroups.empty()) return init;
  membership = TRY(cgroups::open_group_of(record.cgroup, record.pid));
  return launch_into(membership, blueprint, around);
}

// How the program begins, and who hears of it.
struct Start {
  int signals;  // of block_signals(), borrowed
  UniqueFd seccomp;
  std::optional<SeccompAgent> agent;
  UniqueFd pidfd_receiver;
};

Result<> tell_and_start(Init& init, const Blueprint& blueprint, Start start) {
  TRY(send_pidfd(start.pidfd_receiver ? start.pidfd_receiver.get() : -1, init.pidfd()));
  TRY(init.commit(start.seccomp.get(), true));
  (void)TRY(init.wait_started(blueprint.plan, std::move(start.agent), start.signals));
  return {};
}

// From `ready` to the running program. The pid file is there before it is, and goes if it fails.
Result<> start_program(Init& init, const Blueprint& blueprint, const std::string& pid_file,
                       Start start) {
  const PidFile written = TRY_AT("--pid-file", PidFile::write(pid_file, init.pid()));
  Result<> started = tell_and_start(init, blueprint, std::move(start));
  if (!started) written.remove();
  return started;
}

Error not_running() {
  return state_error("container not running");
}

// Of a process that died, or that could not be made or found any more (clone(2): ENOMEM
// in a pid namespace whose first process has ended).
bool is_of_death(const Error& error) {
  return error.kind == ErrorKind::system &&
         (error.errnum == 0 || error.errnum == ENOMEM || error.errnum == ESRCH);
}

// The container, and its first process.
struct Target {
  StateDir directory;
  Record record;
  Status status;
  UniqueFd first;
};

Result<Target> open_target(const RuntimeOptions& runtime, const ExecOptions& options) {
  StateDir directory = TRY(StateDir::open(runtime.root, options.id));
  Record record = TRY(directory.load());
  const Status status = TRY(status_of(directory, record));
  TRY(check_status(status, options.ignore_paused));
  std::optional<UniqueFd> first = TRY(open_process(record.pid, record.start_time));
  if (!first) return not_running();
  return Target{std::move(directory), std::move(record), status, std::move(*first)};
}

Result<int> exec_in(const Target& target, const Blueprint& blueprint, const ExecOptions& options) {
  const UniqueFd signals = TRY(block_signals());
  std::optional<SeccompCompilation> seccomp;
  if (const auto& profile = blueprint.spec.linux.seccomp)
    seccomp.emplace(TRY(SeccompCompilation::start(target.directory.root(), *profile)));
  timing::end_of("seccomp");
  Start start{.signals = signals.get(), .seccomp = {}, .agent = {}, .pidfd_receiver = {}};
  start.pidfd_receiver =
      TRY_AT("--pidfd-socket", connect_receiver(options.pidfd_socket, signals.get()));
  Console console =
      TRY(open_console(blueprint.spec.process, options.console_socket, signals.get()));
  const ProcessHandle first{target.record.pid, target.first.get()};
  Init init = TRY(launch_in_container(target.record, blueprint, options,
                                      {first, console.for_init.get(), signals.get()}));
  console.for_init.reset();
  timing::end_of("clone");
  const Result<MessageKind> ready = init.wait(blueprint.plan, signals.get());
  if (!ready)
    return cgroups::with_memory_use(ready.error(), target.record.cgroup, cgroups::Use::later);
  timing::end_of("init");
  if (seccomp) start.seccomp = TRY(seccomp->wait(signals.get()));
  seccomp.reset();
  timing::end_of("seccomp wait");
  std::optional<TerminalRelay> relay = TRY(open_relay(console, blueprint.spec.process));
  start.agent =
      TRY(connect_agent(blueprint.spec, target.record, {init.pid(), target.status}, signals.get()));
  const Result<> started = start_program(init, blueprint, options.pid_file, std::move(start));
  if (!started)
    return cgroups::with_memory_use(started.error(), target.record.cgroup, cgroups::Use::later);
  timing::end_of("handoff");
  if (options.detach) {
    init.detach();
    return 0;
  }
  Foreground foreground(init, signals.get(), std::move(relay), std::nullopt);
  const int status = TRY(foreground.wait());
  timing::end_of("program");
  foreground.finish_output();
  return status;
}

}  // namespace

Result<int> exec_in_container(const RuntimeOptions& runtime, const ExecOptions& options) {
  TRY(check_id(options.id));
  TRY(check_descriptors(0, options.preserve_fds));
  const Target target = TRY(open_target(runtime, options));
  timing::end_of("container");
  const Blueprint blueprint = TRY(read_exec_blueprint(target.directory, target.record, options));
  timing::end_of("plan");
  TRY(check_program_feasible(blueprint, options.console_socket, !options.detach));
  if (!options.detach) (void)sys::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Result<int> status = exec_in(target, blueprint, options);
  // Whichever step it was that met with the end of the container, which now need not wait for ours.
  constexpr int kPatience = 100;  // milliseconds
  if (status || !is_of_death(status.error())) return status;
  const Result<bool> ended = wait_for_exit(target.first.get(), kPatience);
  return ended && ended.value() ? not_running() : std::move(status);
}

}  // namespace onggi
