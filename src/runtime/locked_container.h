// SPDX-License-Identifier: Apache-2.0
// A container that nobody else changes meanwhile.
#pragma once

#include "runtime/state_dir.h"

namespace onggi {

struct LockedContainer {
  StateDir directory;
  Record record;
  Status status;

  // Waits for other changes to end, at most ten seconds.
  static Result<LockedContainer> open(const RuntimeOptions& runtime, std::string_view id);
};

}  // namespace onggi
