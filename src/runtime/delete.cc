// SPDX-License-Identifier: Apache-2.0
// Also the way out after a `create` that was killed: the record says what it may have made.
#include "base/log.h"
#include "base/timing.h"
#include "linux/process_status.h"
#include "linux/resctrl.h"
#include "runtime/container_hooks.h"
#include "runtime/creation.h"
#include "runtime/state_dir.h"

#include <csignal>

namespace onggi {
namespace {

constexpr int kPatience = 10'000, kStep = 100;  // milliseconds

// A frozen v1 cgroup keeps even SIGKILL waiting, so a living container is stopped by its cgroup.
// What a dead init left there is killed with the cgroup's removal.
Result<> stop(const Record& record) {
  const std::optional<UniqueFd> process = TRY(open_process(record.pid, record.start_time));
  if (!process) return {};
  if (!record.cgroup.directories.empty()) TRY(cgroups::signal_all(record.cgroup, SIGKILL));
  const long sent = sys::pidfd_send_signal(process->get(), SIGKILL);
  if (sent < 0 && sent != -ESRCH) return system_error(sent, "pidfd_send_signal");
  // Whoever made a process that has ended in the container and does not wait for it (a stopped
  // `exec`, an engine) must not keep the container.
  for (int waited = 0; waited < kPatience; waited += kStep) {
    if (TRY(wait_for_exit(process->get(), kStep)) || has_let_go(record.pid)) return {};
  }
  return with_hint(
      make_error(ErrorKind::system, "init (pid ", record.pid, ") did not exit after SIGKILL"),
      "it is blocked in the kernel; try again when it has exited");
}

Result<> check_deletable(StateDir& directory, const Record& record, std::string_view id) {
  const Status status = TRY(status_of(directory, record));
  if (status == Status::stopped || status == Status::created) return {};
  return with_hint(
      state_error("cannot delete container '", id, "' that is not stopped: ", status_name(status)),
      "use --force to kill it first");
}

// Another command is at work on it, perhaps for ever (a create whose mount hangs). Without its init
// that gives up.
Result<> lock_by_force(StateDir& directory, std::string_view id) {
  if (TRY(directory.lock(1000))) return {};
  if (!TRY(directory.is_empty())) {
    const Record record = TRY(directory.load_to_remove());
    if (!record.cgroup.directories.empty()) TRY(cgroups::signal_all(record.cgroup, SIGKILL));
    TRY(stop(record));
  }
  if (TRY(directory.lock(kPatience))) return {};
  return state_error("container '", id, "' is being changed by another command");
}

// The configuration goes before the record: where it is missing, the hooks have run. An error that
// may be over the next time keeps the container.
Result<> run_hooks(const StateDir& directory, const Record& record, bool force) {
  const Result<spec::Spec> spec = saved_spec(directory);
  if (spec) {
    TRY(directory.begin_poststop());
    run_poststop_hooks(spec.value(), record, -1);
    return {};
  }
  const Error& error = spec.error();
  if (error.errnum == ENOENT) return {};
  if (error.errnum != 0 || !force) return error;
  std::string warning("the poststop hooks are not known: ");
  log::warn(warning.append(error.message.view()));
  return {};
}

Result<> delete_locked(StateDir& directory, bool force, const Record& record) {
  TRY(stop(record));
  timing::end_of("stop");
  // Before systemd stops the unit: it would first ask with SIGTERM, and wait.
  const bool owned = TRY(cgroups::remove(record.cgroup));
  timing::end_of("cgroups");
  if (record.unit && owned) TRY(stop_unit(record.unit->name, record.unit->user, -1));
  TRY(resctrl::remove(record.resctrl));
  // A `create` that died before there was a process has nothing that a hook could undo.
  if (record.later_hooks && (record.pid != 0 || record.complete))
    TRY(run_hooks(directory, record, force));
  return directory.remove();
}

}  // namespace

Result<> delete_container(const RuntimeOptions& runtime, std::string_view id, bool force) {
  TRY(check_id(id));
  Result<StateDir> opened = StateDir::open(runtime.root, id);
  if (!opened)
    return force && opened.error().kind == ErrorKind::state ? Result<>() : opened.error();
  StateDir directory = std::move(opened).value();
  if (force) {
    if (Result<> locked = lock_by_force(directory, id); !locked) {
      const Result<StateDir> again = StateDir::open(runtime.root, id);
      const bool deleted = !again && again.error().kind == ErrorKind::state;  // by another command
      return deleted ? Result<>() : locked;
    }
  } else if (!TRY(directory.lock(kPatience))) {
    return state_error("container '", id, "' is being changed by another command");
  }
  const Result<Record> record = force ? directory.load_to_remove() : directory.load();
  if (!record) return TRY(directory.is_empty()) ? directory.remove() : Result<>(record.error());
  if (!force) TRY(check_deletable(directory, record.value(), id));
  return delete_locked(directory, force, record.value());
}

}  // namespace onggi
