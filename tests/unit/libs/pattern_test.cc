// SPDX-License-Identifier: Apache-2.0
#include "libs/pattern.h"

#include <doctest/doctest.h>

using namespace onggi;

TEST_CASE("an extended regular expression may match anywhere in a text") {
  const plan::MatchRequest request{.pattern = "^(a|b)+$|web", .texts = {"ab", "abc", "my-web-1"}};
  const Result<spec::TextList> found = matching(request);
  REQUIRE(static_cast<bool>(found));
  CHECK(found.value() == spec::TextList{"ab", "my-web-1"});
}

TEST_CASE("what is no regular expression is named, with the C library's reason") {
  const Result<spec::TextList> found = matching({.pattern = "(a", .texts = {}});
  REQUIRE_FALSE(static_cast<bool>(found));
  CHECK(found.error().message.view() == "--regex '(a': Unmatched ( or \\(");
}
