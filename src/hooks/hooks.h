// SPDX-License-Identifier: Apache-2.0
// The hooks that run on the host: prestart, createRuntime, poststart and poststop (config.md#posix-
// platform-hooks). createContainer and startContainer run in the container, so init runs them.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <span>
#include <string>
#include <string_view>

namespace onggi::hooks {

// A moment in the life of one container, and what all hooks of that moment are given.
struct Point {
  std::string_view name;   // as in config.json: "createRuntime"
  std::string_view state;  // the state document, for their standard input
  std::string directory;   // their working directory
  int signals = -1;        // of block_signals(): one that ends us ends the hook; -1: nothing does
};

// One after the other; the first failure ends it.
Result<> run(std::span<const spec::Hook> hooks, const Point& point);

// All of them: a failure is logged, at every level.
void run_all(std::span<const spec::Hook> hooks, const Point& point);

}  // namespace onggi::hooks
