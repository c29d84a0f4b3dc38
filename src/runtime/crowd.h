// SPDX-License-Identifier: Apache-2.0
// Where a state root has many containers, a new one does not begin with a copy of all their mounts
// (empty_mounts.h).
#pragma once

#include "base/fd.h"
#include "plan/plan.h"

namespace onggi {

// The mount namespace that a container with this plan is to begin with; empty: a copy of ours.
UniqueFd mounts_in_crowd(int state_root, const plan::Plan& plan, const plan::HostFacts& facts);
// After a container has gone: with the crowd goes what was kept for it.
void leave_crowd(int state_root);

}  // namespace onggi
