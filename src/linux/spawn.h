// SPDX-License-Identifier: Apache-2.0
// Other people's programs that are run for us: hooks, ps(1), newuidmap(1). Like posix_spawn(3): the
// child borrows our memory until it executes the program, and why it could not is our error.
#pragma once

#include "linux/clone.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi {

struct SpawnRequest {
  using Words = std::vector<const char*>;  // for execve(2), but for the null pointer at its end
  Words arguments;
  std::optional<Words> environment = {};     // none: ours
  int directory = -1;                        // the program's working directory; -1: ours
  int input = -1, output = -1, errors = -1;  // its descriptors 0 to 2, all above 2; -1: ours
  bool own_session = false;                  // setsid(2)
};

// The program has no other descriptors, no signal blocked and none ignored. The caller waits for
// it. The error is that of the first step that failed in the child, as "exec 'PATH'".
Result<Child> spawn(const std::string& path, SpawnRequest request);

// The same with the first program of that name in PATH.
Result<Child> spawn_in_path(const std::string& name, SpawnRequest request);

// The files that execvp(3) tries for a name without a slash, in that order.
std::vector<std::string> places_in_path(std::string_view name);

}  // namespace onggi
