// SPDX-License-Identifier: Apache-2.0
// Why a process that was being made has died: its memory limit.
#pragma once

#include "base/result.h"
#include "cgroups/driver.h"

namespace onggi::cgroups {

// The same error with the limit and the use as its hint, if the kernel has killed a process of the
// group for want of memory (oom_kill in memory.events of v2 or memory.oom_control of v1) and the
// error is not that of a system call. To be asked before the group is removed.
Error with_memory_use(Error error, const Group& group);

}  // namespace onggi::cgroups
