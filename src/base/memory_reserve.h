// SPDX-License-Identifier: Apache-2.0
// Without exceptions an allocation cannot fail, so where the kernel refuses memory the allocator of
// src/freestanding goes on with a reserve. Long operations ask between their steps and undo what
// they have done while there is something left of it.
#pragma once

#include "base/result.h"

#include <cerrno>

namespace onggi {

// Set by the allocator, for good.
inline bool memory_reserve_in_use = false;

// An error of ENOMEM once the reserve is in use.
inline Result<> check_memory() {
  if (!memory_reserve_in_use) return {};
  return with_hint(system_error(-ENOMEM, "mmap"),
                   "raise the limit of the address space (ulimit -v), or free memory");
}

}  // namespace onggi
