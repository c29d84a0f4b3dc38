// SPDX-License-Identifier: Apache-2.0
// Questions to a user at a terminal.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace onggi::image {

inline constexpr size_t kLongestAnswer = 64u << 10;

// Standard input, for the answer, and standard error, for the question.
bool can_ask();
// One line, without its end.
Result<std::string> read_line(std::string_view prompt);
std::string without_line_end(std::string text);

}  // namespace onggi::image
