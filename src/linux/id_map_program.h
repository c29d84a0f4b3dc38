// SPDX-License-Identifier: Apache-2.0
// newuidmap(1) and newgidmap(1): they have the right to map what /etc/subuid and /etc/subgid give
// to an ordinary user.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <vector>

namespace onggi {

enum class IdMapProgram : uint8_t { newuidmap, newgidmap };

// Are both in $PATH?
bool has_id_map_programs();

// Maps for the user namespace of `pid`. What the program says is in the error. `signals`: of
// block_signals(), or -1; one that would have ended us ends the program and the wait for it.
Result<> run_id_map_program(IdMapProgram program, int pid,
                            const std::vector<spec::IdMapping>& mappings, int signals);

}  // namespace onggi
