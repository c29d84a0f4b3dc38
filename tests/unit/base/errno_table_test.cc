// SPDX-License-Identifier: Apache-2.0
#include "base/errno_table.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

namespace onggi {

TEST_CASE("errno values have the C library's names and words, and no others") {
  const auto text = [](const char* found) { return std::string(found == nullptr ? "" : found); };
  for (int errnum = 1; errnum < 200; errnum++) {
    CAPTURE(errnum);
    CHECK(errno_name(errnum) == text(strerrorname_np(errnum)));
    CHECK(errno_description(errnum) == text(strerrordesc_np(errnum)));
  }
  for (const int none : {-1, 0, 4000}) {
    CHECK(errno_name(none).empty());
    CHECK(errno_description(none).empty());
  }
}

}  // namespace onggi
