// SPDX-License-Identifier: Apache-2.0
// Which cgroup hierarchies this host has.
#pragma once

#include "base/result.h"
#include "plan/host_facts.h"

namespace onggi::cgroups {

// Fills cgroup_layout and cgroups. A host without cgroups is no error.
Result<> probe(plan::HostFacts& facts);

}  // namespace onggi::cgroups
