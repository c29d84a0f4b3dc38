// SPDX-License-Identifier: Apache-2.0
#include "base/split.h"

#include <doctest/doctest.h>

using namespace onggi;
using Parts = std::vector<std::string_view>;

TEST_CASE("a split text has the parts between separators, but for empty ones") {
  CHECK(split("a:b:c", ':').all() == Parts{"a", "b", "c"});
  CHECK(split(":a::b:", ':').all() == Parts{"a", "b"});
  CHECK(split("", ':').all() == Parts{});
  CHECK(split(":::", ':').all() == Parts{});
  CHECK(lines_of("first\nsecond").all() == Parts{"first", "second"});
  CHECK(words_of("  UID   PID ").all() == Parts{"UID", "PID"});
}
