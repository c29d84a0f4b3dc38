// SPDX-License-Identifier: Apache-2.0
// What the suites on hooks share beside the bundle with hooks that report.
#pragma once

#include "support/hooked.h"
#include "support/suite.h"

namespace onggi::test {

// What the rivals do differently, in more than one case.
inline constexpr const char* kPoststartInCreate = "1.1.5 runs poststart hooks at the end of create";
inline constexpr const char* kPoststartTooEarly =
    "1.8.1 runs poststart at times before startContainer has ended";
inline constexpr const char* kIgnored = "start succeeds whatever the hook did";

inline const Strings kAll = {"prestart",       "createRuntime", "createContainer",
                             "startContainer", "poststart",     "poststop"};
inline const Strings kOnHost = {"prestart", "createRuntime", "poststart", "poststop"};
inline const Strings kInContainer = {"createContainer", "startContainer"};
inline const Strings kOfCreate = {"prestart", "createRuntime", "createContainer"};

inline void add_all(Hooked& hooked, const HookExtra& extra = {}) {
  for (const std::string& point : kAll) hooked.add(point, extra);
}

}  // namespace onggi::test
