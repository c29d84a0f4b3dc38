// SPDX-License-Identifier: Apache-2.0
// By pidfd, to the very process that was recorded.
#include "base/log.h"
#include "linux/process_status.h"
#include "runtime/state_dir.h"

#include <csignal>

namespace onggi {

Result<> kill_container(const RuntimeOptions& runtime, std::string_view id, int signal, bool all) {
  TRY(check_id(id));
  StateDir directory = TRY(StateDir::open(runtime.root, id));
  const Record record = TRY(directory.load());
  // Without a pid namespace of its own, a container is its cgroup; its processes outlive init. And
  // in a frozen v1 cgroup even SIGKILL waits for the thaw that comes with the killing of all.
  const bool everything =
      all || (signal == SIGKILL && (!record.private_pids || TRY(cgroups::frozen(record.cgroup))));
  if (record.complete && everything && !record.cgroup.directories.empty()) {
    const bool stopped = TRY(status_of(directory, record)) == Status::stopped;
    // What its first process has left behind is killed, but gets no other signal.
    const bool none_left = stopped && TRY(cgroups::processes(record.cgroup)).empty();
    if (none_left && !all) return state_error("container not running");
    if (!stopped || signal == SIGKILL) TRY(cgroups::signal_all(record.cgroup, signal));
    return {};
  }
  if (everything && !record.private_pids) {
    log::warn(
        "the container has no cgroup and no pid namespace of its own: only its first process "
        "receives the signal");
  }
  const std::optional<UniqueFd> process = TRY(open_process(record.pid, record.start_time));
  if (!process && all) return {};
  if (!process) return state_error("container not running");
  const long sent = sys::pidfd_send_signal(process->get(), signal);
  if (sent == -ESRCH) return state_error("container not running");
  if (sent < 0) return system_error(sent, "pidfd_send_signal");
  return {};
}

}  // namespace onggi
