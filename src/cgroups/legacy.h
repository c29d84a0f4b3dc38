// SPDX-License-Identifier: Apache-2.0
// What only cgroup v1 needs; this file goes when v1 does.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi::cgroups::legacy {

// A new cpuset is empty and takes no process: gives `path` the cpus and memory nodes of its nearest
// ancestor that has some, and the same to those in between. One that was `just_made` has none.
Result<> fill_cpuset(const std::string& mount_point, const std::string& path, bool just_made);

// For the container's init to write "0" to: a process that moves itself alone is spared the wait
// for an RCU grace period that moving another process by cgroup.procs costs.
Result<UniqueFd> open_tasks(const std::string& directory);

// freezer.state is not THAWED. False for a cgroup that is gone.
Result<bool> frozen(const std::string& directory);
Result<> thaw(const std::string& directory);
// Returns when the kernel has stopped every process; waits about ten seconds.
Result<> freeze(const std::string& directory);

// SIGKILL to all below `directory`, a v1 freezer's: frozen, so that no fork(2) outruns the walk
// over the processes.
Result<> kill_frozen(const std::string& directory);

}  // namespace onggi::cgroups::legacy
