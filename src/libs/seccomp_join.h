// SPDX-License-Identifier: Apache-2.0
// One BPF program out of libseccomp's for each architecture, with an answer of our own for system
// calls that are newer than the profile.
#pragma once

#include "spec/spec.h"

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace onggi {

using SeccompProgram = std::vector<sock_filter>;

struct SeccompPart {
  uint32_t architecture = 0;  // SCMP_ARCH_*
  // The number of the newest call that the profile knows. Set: newer ones fail with ENOSYS.
  std::optional<uint32_t> newest;
  SeccompProgram program;
};

// A profile that denies what it does not name cannot have meant calls that were made after it was
// written. With ENOSYS, as an older kernel would have it, programs fall back to the older call;
// EPERM is an answer that they believe. Nothing where the default action lets a call through
// (ALLOW, LOG) or leaves it to a tracer, says ENOSYS itself, or where the profile names no call.
std::optional<uint32_t> newest_call(const spec::Seccomp& seccomp, uint32_t architecture);

// The parts behind a dispatch on the architecture; any other is killed (SECCOMP_RET_KILL_THREAD).
SeccompProgram join(std::span<const SeccompPart> parts);

}  // namespace onggi
