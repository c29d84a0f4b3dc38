// SPDX-License-Identifier: Apache-2.0
// Which cgroup hierarchies this host has.
#pragma once

#include "base/result.h"
#include "plan/host_facts.h"

namespace onggi::cgroups {

// Fills cgroup_layout and cgroups. A host without cgroups is no error.
Result<> probe(plan::HostFacts& facts);

// Fills systemd_cgroup, for the manager that the units are going to be made by. After probe().
void probe_systemd_cgroup(plan::HostFacts& facts);

}  // namespace onggi::cgroups
