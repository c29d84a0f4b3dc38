// SPDX-License-Identifier: Apache-2.0
// Lengths of time as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace onggi::cli {

// Milliseconds, rounded down. "90", "1m30s" and "1.5m" are 90000; the units are h, m, s, ms, us
// and ns. At most 100 years. Nothing: not a length of time.
std::optional<int64_t> parse_duration(std::string_view text);

}  // namespace onggi::cli
