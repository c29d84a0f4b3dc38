// SPDX-License-Identifier: Apache-2.0
// The host, as far as the planner may know it.
#pragma once

#include "base/result.h"
#include "plan/host_facts.h"

#include <string>
#include <vector>

namespace onggi {

Result<bool> in_user_namespace();  // not in the initial one

// Everything of HostFacts but the cgroups, which are src/cgroups' to find, resctrl, and the user
// namespace that is joined.
Result<> probe_host(plan::HostFacts& facts);

// Where resctrl is; only for a configuration that asks for it.
Result<> probe_resctrl(plan::HostFacts& facts);

// Names of the capabilities that the running kernel knows, in the order of their numbers.
std::vector<std::string> kernel_capabilities();

}  // namespace onggi
