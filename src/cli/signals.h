// SPDX-License-Identifier: Apache-2.0
// Signals by name, as people and engines write them.
#pragma once

#include "base/result.h"

#include <string_view>

namespace onggi::cli {

// "TERM", "sigterm", "15", "RTMIN+3", "SIGRTMAX-1"; 0 is legal and asks whether the process is
// there (kill(2)).
Result<int> parse_signal(std::string_view text);

}  // namespace onggi::cli
