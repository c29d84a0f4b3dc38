// SPDX-License-Identifier: Apache-2.0
// uid_map and gid_map of a new user namespace (user_namespaces(7)).
#pragma once

#include "base/result.h"
#include "plan/plan.h"

namespace onggi {

// What the file says; empty before it has been written.
Result<std::vector<spec::IdMapping>> read_id_map(const std::string& path);

// `file`: "uid_map" or "gid_map" of the process's user namespace; `place` is for the error.
Result<> write_id_map(int pid, const char* file, const std::vector<spec::IdMapping>& mappings,
                      std::string_view place);

// Gives the process's user namespace both maps, in the way that the plan has chosen. `signals`: of
// block_signals(), or -1; one that would have ended us ends the wait for a program.
Result<> write_id_mappings(int pid, const plan::NamespacePlan& plan, int signals);

}  // namespace onggi
