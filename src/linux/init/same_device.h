// SPDX-License-Identifier: Apache-2.0
// Is a file the device that a step asks for? Used by both programs, so without libc.
#pragma once

#include "base/syscalls.h"
#include "plan/steps.h"

#include <sys/stat.h>

namespace onggi {

// `info`: with STATX_TYPE.
inline bool same_device(const struct statx& info, const plan::MakeDevice& step) {
  if ((info.stx_mode & S_IFMT) != (step.mode & S_IFMT)) return false;
  return S_ISFIFO(step.mode) ||
         (info.stx_rdev_major == step.major && info.stx_rdev_minor == step.minor);
}

}  // namespace onggi
