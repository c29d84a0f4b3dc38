// SPDX-License-Identifier: Apache-2.0
// The notations of tar headers: octal and base-256 numbers, PAX times and attribute names.
#pragma once

#include "layer/tar.h"

namespace onggi::image {

// Blanks, octal digits, then NULs or blanks; or, with the first bit set, a big-endian number of
// two's complement. Nothing: it is neither, or does not fit.
std::optional<int64_t> parse_tar_number(std::string_view field);

// "-5.25": -6 seconds and 750,000,000 nanoseconds. Digits beyond nanoseconds are cut off.
std::optional<Timestamp> parse_pax_time(std::string_view text);

// "user.a%20b" -> "user.a b".
std::string decode_percent(std::string_view text);

}  // namespace onggi::image
