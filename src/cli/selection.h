// SPDX-License-Identifier: Apache-2.0
// The containers that a command is about: one by its id, or all whose ids match (crun's --regex).
#pragma once

#include "runtime/runtime.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::cli {

// In the order of `list`. `pattern` is a POSIX extended regular expression (regex(7)) that may
// match anywhere in an id; one that is none is an error.
Result<std::vector<std::string>> matching_ids(const RuntimeOptions& runtime,
                                              std::string_view pattern);

// `error`, with the id in its message.
Error error_of(std::string_view id, const Error& error);

// All are tried; the first error is that of the command.
template <class Action>
Result<int> on_selected(const RuntimeOptions& runtime, std::string_view operand, bool is_pattern,
                        const Action& action) {
  if (!is_pattern) {
    TRY(action(operand));
    return 0;
  }
  std::optional<Error> first;
  const std::vector<std::string> ids = TRY(matching_ids(runtime, operand));
  for (const std::string& id : ids) {
    const Result<> done = action(id);
    if (!done && !first) first = error_of(id, done.error());
  }
  if (first) return *first;
  return 0;
}

}  // namespace onggi::cli
