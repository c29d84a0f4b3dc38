// SPDX-License-Identifier: Apache-2.0
// What happens to a container, as it happens.
#pragma once

#include "cgroups/stats.h"
#include "runtime/runtime.h"

namespace onggi {

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual Result<> stats(const cgroups::Stats& stats) = 0;
  virtual Result<> out_of_memory() = 0;
};

Result<cgroups::Stats> container_stats(const RuntimeOptions& runtime, std::string_view id);

// Statistics every `interval` milliseconds and each kill for want of memory, until the container
// ends.
Result<> watch_container(const RuntimeOptions& runtime, std::string_view id, int64_t interval,
                         EventSink& sink);

}  // namespace onggi
