// SPDX-License-Identifier: Apache-2.0
// A bundle, read and planned: all that `create` can know and refuse before it does anything.
#pragma once

#include "plan/plan.h"
#include "runtime/runtime.h"
#include "spec/spec.h"

#include <string>

namespace onggi {

struct Blueprint {
  std::string document;  // config.json as it was read
  std::string bundle;    // absolute
  spec::Spec spec;
  plan::HostFacts facts;
  plan::LaunchOptions launch;
  plan::Plan plan;
};

// No side effects. What the plan refuses is left in it.
Result<Blueprint> read_blueprint(const RuntimeOptions& runtime, const CreateOptions& options);

// Are the descriptors there that the program is to inherit? To be asked before we open any.
Result<> check_descriptors(uint32_t listen_fds, uint32_t preserve_fds);

// The part of check_feasible that holds for `exec`, too.
Result<> check_program_feasible(const Blueprint& blueprint, const std::string& console_socket,
                                bool foreground);

// Fails with the first thing that the plan refuses, and for limits that this process may not set.
Result<> check_feasible(const Blueprint& blueprint, const CreateOptions& options, bool foreground);

}  // namespace onggi
