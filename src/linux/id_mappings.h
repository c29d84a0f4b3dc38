// SPDX-License-Identifier: Apache-2.0
// uid_map and gid_map of a new user namespace (user_namespaces(7)).
#pragma once

#include "base/result.h"
#include "plan/plan.h"

namespace onggi {

// Writes both maps of the process's user namespace; needs CAP_SETUID and CAP_SETGID over the mapped
// ids.
Result<> write_id_mappings(int pid, const plan::NamespacePlan& plan);

}  // namespace onggi
