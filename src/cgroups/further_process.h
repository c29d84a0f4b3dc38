// SPDX-License-Identifier: Apache-2.0
// Where a process goes that comes to a container later.
#pragma once

#include "cgroups/driver.h"

#include <span>
#include <string>
#include <vector>

namespace onggi::cgroups {

// A cgroup below the container's, in the hierarchies of these controllers; without any, in all.
struct Subgroup {
  std::vector<std::string> controllers;
  std::string path;  // "/batch"; without ".."
};

// Of several that name the same hierarchy the last counts. A subgroup must exist already.
Result<Membership> open_subgroups(const Group& group, std::span<const Subgroup> subgroups);

// The cgroup of v2 that `pid` is in by now, which may be below the one that it was started in:
// where controllers are enabled for the cgroups below, the kernel takes no more processes above
// them (EBUSY, cgroups(7), "No internal processes").
Result<Membership> open_group_of(const Group& group, int pid);

}  // namespace onggi::cgroups
