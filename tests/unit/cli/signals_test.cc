// SPDX-License-Identifier: Apache-2.0
#include "cli/signals.h"

#include <doctest/doctest.h>

#include <csignal>
#include <cstring>
#include <string>

namespace onggi::cli {

TEST_CASE("signals have the C library's names and numbers") {
  const auto number = [](const std::string& name) {
    const Result<int> parsed = parse_signal(name);
    return parsed ? parsed.value() : -1;
  };
  for (int signal = 1; signal < SIGRTMIN; signal++) {
    const char* name = sigabbrev_np(signal);
    if (name == nullptr) continue;
    CAPTURE(name);
    CHECK(number(name) == signal);
  }
  CHECK(number("RTMIN") == SIGRTMIN);
  CHECK(number("RTMAX") == SIGRTMAX);
  for (int step = 0; step <= SIGRTMAX - SIGRTMIN; step++) {
    CHECK(number("RTMIN+" + std::to_string(step)) == SIGRTMIN + step);
    CHECK(number("RTMAX-" + std::to_string(step)) == SIGRTMAX - step);
  }
  CHECK(number("RTMIN+31") == -1);
}

}  // namespace onggi::cli
