// SPDX-License-Identifier: Apache-2.0
// Every MUST of config.md and config-linux.md that can be judged without looking at the host.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

namespace onggi::spec {

// The first rule that is broken. No system calls.
Result<> validate(const Spec& spec);
// The rules of linux.resources alone, for `update`.
Result<> validate_resources(const Spec& spec);
// The rules of process alone, for `exec`.
Result<> validate_process(const Spec& spec);

}  // namespace onggi::spec
