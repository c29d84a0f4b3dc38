// SPDX-License-Identifier: Apache-2.0
// Compiled filters, kept below the state root: libseccomp takes milliseconds for an engine's
// profile, and most containers of a host have the same one.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "spec/spec.h"

namespace onggi {

// Holds a character that no container's id may have, so that the two never meet.
inline constexpr const char* kSeccompCache = "@seccomp";

// The program for a profile as a sealed memfd: out of the cache in the directory `root` (borrowed),
// else compiled and kept there. A cache that cannot be used is done without; errors are those of
// compile_seccomp().
Result<UniqueFd> seccomp_program(int root, const spec::Seccomp& seccomp);

}  // namespace onggi
