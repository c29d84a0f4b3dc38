// SPDX-License-Identifier: Apache-2.0
// The words of the refusals are an interface: engines match them.
#include "cgroups/out_of_memory.h"
#include "linux/notify_relay.h"
#include "linux/process_status.h"
#include "linux/start_socket.h"
#include "runtime/container_hooks.h"
#include "runtime/locked_container.h"
#include "runtime/seccomp_notify.h"

#include <csignal>

namespace onggi {

namespace {

// What `start` waits with for the container to be ready, when it has let go of the lock.
struct Started {
  UniqueFd process, notify;
  int pid = 0;
};

Result<Started> start_locked(const RuntimeOptions& runtime, std::string_view id) {
  LockedContainer container = TRY(LockedContainer::open(runtime, id));
  StateDir& directory = container.directory;
  const Record& record = container.record;
  switch (container.status) {
    case Status::created:
      break;
    case Status::stopped:
      return state_error("cannot start a container that has stopped");
    case Status::creating:
    case Status::running:
    case Status::paused:
      return state_error("cannot start an already running container");
  }
  std::optional<spec::Spec> spec;
  if (record.listener || record.later_hooks) spec = TRY(saved_spec(directory));
  // Before init is told: it stays `created` when there is no agent.
  std::optional<SeccompAgent> agent;
  if (record.listener) agent = TRY(connect_agent(*spec, record, {record.pid, Status::created}, -1));
  std::optional<UniqueFd> process = TRY(open_process(record.pid, record.start_time));
  const Result<UniqueFd> init = ask_to_start(directory.fd());
  // If init cannot be told, the container stays `created`.
  if (!init && init.error().kind != ErrorKind::state) return init.error();
  Started started{
      .process = process ? std::move(*process) : UniqueFd(), .notify = {}, .pid = record.pid};
  Result<UniqueFd> notify =
      init ? wait_until_started(init.value(), std::move(agent), started.process.get())
           : Result<UniqueFd>(init.error());
  const Result<> forgotten = directory.forget(kStartSocket);
  if (!notify) return cgroups::with_memory_use(notify.error(), record.cgroup, cgroups::Use::first);
  TRY(forgotten);
  started.notify = std::move(notify).value();
  if (!record.later_hooks) return started;
  const Result<> hooked = run_poststart_hooks(*spec, record, -1);
  if (hooked) return started;
  // runtime.md#lifecycle: a failing poststart hook stops the container.
  (void)kill_container(runtime, id, SIGKILL, !record.cgroup.directories.empty());
  return hooked.error();
}

}  // namespace

Result<> start_container(const RuntimeOptions& runtime, std::string_view id) {
  TRY(check_id(id));
  std::optional<NotifyRelay> relay = TRY(NotifyRelay::open());
  Started started = TRY(start_locked(runtime, id));
  if (!relay || !started.notify || !started.process) return {};
  relay->listen(std::move(started.notify), started.pid);
  return relay->wait(started.process.get(), -1);
}

}  // namespace onggi
