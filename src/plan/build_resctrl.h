// SPDX-License-Identifier: Apache-2.0
// New schemata for a container's class of service. Pure.
#pragma once

#include "base/result.h"
#include "plan/host_facts.h"
#include "plan/plan.h"
#include "spec/spec.h"

#include <optional>
#include <string_view>

namespace onggi::plan {

// `change`: l3CacheSchema, memBwSchema or both, given as options of `update`, by which errors call
// them. `configured`: linux.intelRdt as the container `id` was made with. The class changes for all
// who are in it.
Result<ResctrlPlan> build_resctrl_update(const spec::IntelRdt& change,
                                         const std::optional<spec::IntelRdt>& configured,
                                         std::string_view id, const HostFacts& facts);

}  // namespace onggi::plan
