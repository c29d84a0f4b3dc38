// SPDX-License-Identifier: Apache-2.0
// Fields that came after the rivals of Debian 12, and what several cases need.
#pragma once

#include "support/suite.h"

#include <string>
#include <string_view>

#define NEWER_THAN_RUNC(what) DEVIATES("runc", "1.1.5 does not know " what)
#define NEWER_THAN_BOTH(what) \
  NEWER_THAN_RUNC(what);      \
  DEVIATES("crun", "1.8.1 does not know " what)

namespace onggi::test {

inline bool refuses(const std::string& pointer, std::string_view json) {
  Bundle bundle;
  return !run(bundle.set_json(pointer, json)).ok();
}

// What the guest sees of its scheduling with one more setting.
inline std::string scheduling_with(const std::string& pointer, std::string_view json) {
  Bundle bundle;
  const Outcome outcome = run(bundle.set_json(pointer, json).guest({"scheduling"}));
  CHECK(outcome.err == "");
  return outcome.out;
}

}  // namespace onggi::test
