// SPDX-License-Identifier: Apache-2.0
// What a user namespace is like that others made.
#pragma once

#include "base/result.h"
#include "plan/host_facts.h"

#include <string>

namespace onggi {

// Maps, with host ids as this process sees them, and whether setgroups(2) is denied. Needs the
// right to join it; `place` names its path in config.json for an error.
Result<plan::UserNamespaceFacts> probe_user_namespace(const std::string& path,
                                                      std::string_view place);

// The same of the user namespace that a process is in.
Result<plan::UserNamespaceFacts> probe_user_namespace_of(int pid);

}  // namespace onggi
