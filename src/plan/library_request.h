// SPDX-License-Identifier: Apache-2.0
// What onggi asks of onggi-libs (src/libs), as fields (base/fields.h), the first one the command:
//   seccomp   what decides the program of a profile. Answer: its instructions (struct sock_filter)
//   match     a pattern and what it is tried on. Answer: a field for each text that matches
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <string>
#include <string_view>
#include <variant>

namespace onggi::plan {

struct MatchRequest {
  spec::Text pattern;    // a POSIX extended regular expression (regex(7))
  spec::TextList texts;  // in which it may match anywhere
};

// No text has a NUL in it. Two profiles with the same bytes have the same program: the flags and
// the listener, which are nothing to a program, are left out.
std::string encode(const spec::Seccomp& seccomp);
std::string encode(const MatchRequest& request);

using LibraryRequest = std::variant<spec::Seccomp, MatchRequest>;
// Refers to `bytes`, where a NUL follows each text. Anything that encode() would not write is an
// error.
Result<LibraryRequest> decode_library_request(std::string_view bytes);

}  // namespace onggi::plan
