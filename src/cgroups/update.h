// SPDX-License-Identifier: Apache-2.0
// Changes to the cgroup of a container that exists: `update`.
#pragma once

#include "base/result.h"
#include "cgroups/driver.h"
#include "plan/cgroup_plan.h"
#include "plan/host_facts.h"
#include "spec/spec.h"

#include <vector>

namespace onggi::cgroups {

// The group's directories as the planner wants them, in the order of `facts.cgroups`.
Result<std::vector<plan::CgroupDirectory>> directories_of(const Group& group,
                                                          const plan::HostFacts& facts);

// Adds what a field of `resources` is only complete with and what stays as it is: the memory limit
// to a swap limit, the quota to a CPU period. Read from the kernel, so that it is true whoever set
// it.
Result<> complete(spec::Resources& resources,
                  const std::vector<plan::CgroupDirectory>& directories);

// All or nothing: after an error the old values are back.
Result<> update(const plan::CgroupPlan& plan);

}  // namespace onggi::cgroups
