// SPDX-License-Identifier: Apache-2.0
#include "linux/login_name.h"

#include <doctest/doctest.h>
#include <pwd.h>

#include <cstdio>

namespace onggi {

TEST_CASE("users have the names that the C library finds in /etc/passwd") {
  CHECK(login_name("0") == "root");
  CHECK(login_name("4294967294") == "4294967294");
  FILE* file = fopen("/etc/passwd", "re");
  REQUIRE(file != nullptr);
  std::string seen = " 0 ";
  while (const passwd* entry = fgetpwent(file)) {
    const std::string uid = std::to_string(entry->pw_uid);
    if (seen.find(" " + uid + " ") != std::string::npos) continue;  // the first one counts
    seen += uid + " ";
    CHECK(login_name(uid) == entry->pw_name);
  }
  (void)fclose(file);
}

}  // namespace onggi
