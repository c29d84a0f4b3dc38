// SPDX-License-Identifier: Apache-2.0
// Numbers that nobody else has.
#pragma once

#include "base/syscalls.h"

#include <cstdint>

namespace onggi::image {

// From the kernel; it does not fail for so few bytes (getrandom(2)).
inline uint64_t random_number() {
  uint64_t number = 0;
  (void)sys::call(SYS_getrandom, &number, sizeof number, 0);
  return number;
}

}  // namespace onggi::image
