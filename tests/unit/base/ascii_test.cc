// SPDX-License-Identifier: Apache-2.0
#include "base/ascii.h"

#include <doctest/doctest.h>

#include <cctype>

namespace onggi {

TEST_CASE("kinds of characters are those of the C locale, for every byte") {
  for (int byte = 0; byte < 256; byte++) {
    CAPTURE(byte);
    const char c = static_cast<char>(byte);
    CHECK(is_digit(c) == (isdigit(byte) != 0));
    CHECK(is_lower(c) == (islower(byte) != 0));
    CHECK(is_upper(c) == (isupper(byte) != 0));
    CHECK(is_letter(c) == (isalpha(byte) != 0));
    CHECK(is_alphanumeric(c) == (isalnum(byte) != 0));
    CHECK(is_hex_digit(c) == (isxdigit(byte) != 0));
    CHECK(lower_case(c) == static_cast<char>(tolower(byte)));
    CHECK(upper_case(c) == static_cast<char>(toupper(byte)));
  }
  CHECK(upper_case("sigTerm+1") == "SIGTERM+1");
}

}  // namespace onggi
