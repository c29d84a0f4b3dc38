// SPDX-License-Identifier: Apache-2.0
#include "base/utc.h"

#include <doctest/doctest.h>

#include <ctime>

namespace onggi {

TEST_CASE("points in time are written as in RFC 3339") {
  const auto seconds = [](time_t time) { return utc_text({time, 0}, Precision::seconds); };
  CHECK(seconds(0) == "1970-01-01T00:00:00Z");
  CHECK(seconds(951'782'399) == "2000-02-28T23:59:59Z");
  CHECK(seconds(951'782'400) == "2000-02-29T00:00:00Z");
  CHECK(seconds(1'735'689'599) == "2024-12-31T23:59:59Z");
  CHECK(seconds(4'102'444'800) == "2100-01-01T00:00:00Z");
  CHECK(utc_text({1, 7}, Precision::nanoseconds) == "1970-01-01T00:00:01.000000007Z");
}

TEST_CASE("now is now") {
  const time_t before = time(nullptr);
  const std::string now = utc_now(Precision::seconds);
  CHECK(now >= utc_text({before - 1, 0}, Precision::seconds));
  CHECK(now <= utc_text({time(nullptr) + 1, 0}, Precision::seconds));
}

}  // namespace onggi
