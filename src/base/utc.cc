// SPDX-License-Identifier: Apache-2.0
#include "base/utc.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace onggi {

std::string utc_text(const timespec& time, Precision precision) {
  const std::chrono::sys_seconds when{std::chrono::seconds(time.tv_sec)};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(when - day);
  char text[80];
  const int length =
      snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
               static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
               static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
               static_cast<int>(clock.seconds().count()));
  std::string whole(text, static_cast<size_t>(length));
  if (precision == Precision::nanoseconds) {
    (void)snprintf(text, sizeof text, ".%09ld", time.tv_nsec);
    whole += text;
  }
  return whole + "Z";
}

std::string utc_now(Precision precision) {
  timespec time = {};
  (void)clock_gettime(CLOCK_REALTIME, &time);
  return utc_text(time, precision);
}

}  // namespace onggi
