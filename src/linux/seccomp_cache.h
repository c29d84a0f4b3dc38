// SPDX-License-Identifier: Apache-2.0
// Compiled filters, kept below the state root: libseccomp takes milliseconds for an engine's
// profile, and most containers of a host have the same one.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/companion.h"
#include "spec/spec.h"

#include <optional>
#include <string>

namespace onggi {

// Holds a character that no container's id may have, so that the two never meet.
inline constexpr const char* kSeccompCache = "@seccomp";

// The program for a profile: out of the cache, or on its way from onggi-libs, which compiles it
// while we go on. A cache that cannot be used is done without.
class SeccompCompilation {
 public:
  // `root` is the directory with the cache (borrowed).
  static Result<SeccompCompilation> start(int root, const spec::Seccomp& seccomp);

  // As a sealed memfd. Only once. `signals` as for CompanionCall.
  Result<UniqueFd> wait(int signals);

 private:
  SeccompCompilation() = default;

  UniqueFd cache_;
  std::string key_;
  UniqueFd found_;
  std::optional<CompanionCall> call_;  // unless it was found
};

}  // namespace onggi
