// SPDX-License-Identifier: Apache-2.0
// Why a process that was being made has died: its memory limit.
#pragma once

#include "base/result.h"
#include "cgroups/driver.h"

namespace onggi::cgroups {

// The same error with the limit and the use as its hint, if it is the death of init (errnum 0, and
// no cure but a signal or the limit) and the kernel has killed a process of the group for want of
// memory (oom_kill in memory.events of v2 or memory.oom_control of v1). In a group that is new
// (`first`), also if it is E2BIG or ENOMEM and the limit was reached. To be asked before the group
// is removed.
enum class Use { first, later };
Error with_memory_use(Error error, const Group& group, Use use);

}  // namespace onggi::cgroups
