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

// Fails with the first thing that the plan refuses, and for limits that this process may not set.
Result<> check_feasible(const Blueprint& blueprint, const CreateOptions& options, bool foreground);

}  // namespace onggi
