// SPDX-License-Identifier: Apache-2.0
// By the freezer of the container's cgroup. Whether a container is paused is read from there again,
// so that an engine may use the freezer itself.
#include "runtime/locked_container.h"

namespace onggi {
Result<> pause_container(const RuntimeOptions& runtime, std::string_view id) {
  const LockedContainer container = TRY(LockedContainer::open(runtime, id));
  if (container.status == Status::paused) return state_error("container is already paused");
  if (container.status != Status::running && container.status != Status::created)
    return state_error("container not running or created: ", status_name(container.status));
  return cgroups::freeze(container.record.cgroup);
}

Result<> resume_container(const RuntimeOptions& runtime, std::string_view id) {
  const LockedContainer container = TRY(LockedContainer::open(runtime, id));
  if (container.status != Status::paused) return state_error("container not paused");
  return cgroups::thaw(container.record.cgroup);
}

Result<std::vector<int>> container_processes(const RuntimeOptions& runtime, std::string_view id) {
  TRY(check_id(id));
  StateDir directory = TRY(StateDir::open(runtime.root, id));
  const Record record = TRY(directory.load());
  return cgroups::processes(record.cgroup);
}

}  // namespace onggi
