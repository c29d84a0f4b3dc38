// SPDX-License-Identifier: Apache-2.0
// Sizes as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace onggi {

// "512m" is 536870912, with the letters b, k, m, g and t for powers of 1024; "-1" is unlimited.
// Nothing: not a size.
std::optional<int64_t> parse_size(std::string_view text);

}  // namespace onggi
