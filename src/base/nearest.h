// SPDX-License-Identifier: Apache-2.0
// "did you mean": for options, commands and keys of config.json.
#pragma once

#include <span>
#include <string_view>

namespace onggi {

// The candidate that `word` was probably meant to be; empty if none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace onggi
