// SPDX-License-Identifier: Apache-2.0
// What only cgroup v2 has: controllers enabled from the root down, delegation, cgroup.kill and
// cgroup.freeze.
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"

#include <span>
#include <string>

namespace onggi::cgroups::unified {

// Enables the controllers in cgroup.subtree_control of every ancestor of `path`.
Result<> enable_controllers(const std::string& mount_point, const std::string& path,
                            std::span<const plan::CgroupController> controllers);

// Hands the directory and the files that the kernel lists for it over to `owner` (cgroup-v2.rst,
// "Delegation").
Result<> delegate(const std::string& directory, uint32_t owner);

// False for a cgroup that is gone.
Result<bool> frozen(const std::string& directory);

// Returns when the kernel has stopped every process, or let every process go on; waits about ten
// seconds for one that sleeps uninterruptibly.
Result<> set_frozen(const std::string& directory, bool frozen);

// SIGKILL to all below `directory`.
Result<> kill(const std::string& directory);

}  // namespace onggi::cgroups::unified
