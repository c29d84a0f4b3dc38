// SPDX-License-Identifier: Apache-2.0
// One container of an ordinary user.
#pragma once

#include "support/suite.h"
#include "support/user_namespace.h"

namespace onggi::test {

inline constexpr const char* kAsksNewuidmap =
    "1.8.1 asks newuidmap for the user's own id, too, which complains";

// Its id is not in use while it runs, and nothing of it is left afterwards.
struct Rootless {
  OrdinaryUser user;
  Bundle bundle;

  Rootless() { give_to(bundle, OrdinaryUser::kUid); }
  Outcome run(const Strings& options = {}, Spawn spawn = {}) {
    bundle.write();
    Strings arguments = {"run", "--bundle", bundle.path().string()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.push_back(tag() + "-rootless");
    const Outcome outcome = user.runtime(arguments, std::move(spawn));
    CHECK(user.left().empty());
    return outcome;
  }
};

}  // namespace onggi::test
