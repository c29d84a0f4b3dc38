// SPDX-License-Identifier: Apache-2.0
// Spec + host → CgroupPlan. Pure.
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"
#include "plan/host_facts.h"
#include "spec/spec.h"

#include <optional>
#include <span>
#include <string_view>

namespace onggi::plan {

// `id`: the container's, for the name of a cgroup that linux.cgroupsPath does not give.
Result<CgroupPlan> build_cgroup(const spec::Spec& spec, const HostFacts& facts, std::string_view id,
                                CgroupRequest request);

// The changes that `update` makes to the cgroup of a container in `directories` (those of
// CgroupPlan, in the order of facts.cgroups), and to its systemd unit, which comes without
// properties. What `resources` does not name stays as it is.
Result<CgroupPlan> build_cgroup_update(const spec::Resources& resources, const HostFacts& facts,
                                       std::vector<CgroupDirectory> directories,
                                       std::optional<SystemdUnit> unit = std::nullopt);

}  // namespace onggi::plan
