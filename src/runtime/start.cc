// SPDX-License-Identifier: Apache-2.0
// The words of the refusals are an interface: engines match them.
#include "linux/start_socket.h"
#include "runtime/container_hooks.h"
#include "runtime/locked_container.h"
#include "runtime/seccomp_notify.h"

#include <csignal>

namespace onggi {

Result<> start_container(const RuntimeOptions& runtime, std::string_view id) {
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
  if (record.listener) agent = TRY(connect_agent(*spec, record));
  const Result<> started = ask_to_start(directory.fd(), std::move(agent));
  TRY(directory.forget(kStartSocket));
  TRY(started);
  if (!record.later_hooks) return {};
  const Result<> hooked = run_poststart_hooks(*spec, record);
  // runtime.md#lifecycle: a failing poststart hook stops the container.
  if (!hooked) (void)kill_container(runtime, id, SIGKILL, !record.cgroup.directories.empty());
  return hooked;
}

}  // namespace onggi
