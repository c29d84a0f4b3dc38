// SPDX-License-Identifier: Apache-2.0
// A created container with given resources, and what the kernel shows of them, by the v1 or the v2
// name of the file.
#pragma once

#include "support/suite.h"

#include <unistd.h>

#include <string>
#include <string_view>

namespace onggi::test {

constexpr const char* kCrunLeavesCgroups = "1.8.1 leaves the cgroups of a failed create behind";

struct Limited {
  explicit Limited(std::string_view resources) {
    bundle.set_json("/linux/resources", resources);
    outcome = container.create();
    pid = outcome.ok() ? container.pid() : 0;
  }
  std::string value(std::string_view controller, std::string_view v1, std::string_view v2) const {
    return cgroup_value(pid, controller, v1, v2);
  }
  bool refused() const { return !outcome.ok(); }

  Bundle bundle;
  Container container{bundle};
  Outcome outcome;
  pid_t pid = 0;
};

// Each of these resources is an error of its own.
inline void check_refused(const Strings& all) {
  for (const std::string& resources : all) {
    CAPTURE(resources);
    CHECK(Limited(resources).refused());
  }
}

inline Need missing(const Need& need) {
  return {!need.met, "needs a host without: " + need.name};
}

}  // namespace onggi::test
