// SPDX-License-Identifier: Apache-2.0
// What a companion program (onggi-libs, onggi-systemd) writes to its standard output: an Answer as
// it stands, and behind it `size` bytes. onggi is of the same build, so there is no version in it.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace onggi {

struct Answer {
  uint32_t failed = 1;
  uint32_t size = 0;
  Error error;  // if it has failed; nothing follows
};
static_assert(std::is_trivially_copyable_v<Answer>);

// Answer and bytes, as they are sent.
std::string encode_answer(const Result<std::string>& result);

// The whole of a companion: what `answer_to` makes of standard input. For main() to return.
int answer_one(Result<std::string> (*answer_to)(std::string_view request));

}  // namespace onggi
