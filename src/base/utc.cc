// SPDX-License-Identifier: Apache-2.0
#include "base/utc.h"

#include "base/syscalls.h"
#include "base/text.h"

#include <chrono>
#include <ctime>

namespace onggi {

std::string utc_text(const timespec& time, Precision precision) {
  const std::chrono::sys_seconds when{std::chrono::seconds(time.tv_sec)};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(when - day);
  FixedText<40> text;
  const auto add = [&text](auto number, size_t width, char end) {
    text.append_padded(static_cast<uint64_t>(number), width).append(end);
  };
  add(int{date.year()}, 4, '-');
  add(unsigned{date.month()}, 2, '-');
  add(unsigned{date.day()}, 2, 'T');
  add(clock.hours().count(), 2, ':');
  add(clock.minutes().count(), 2, ':');
  const bool fraction = precision == Precision::nanoseconds;
  add(clock.seconds().count(), 2, fraction ? '.' : 'Z');
  if (fraction) add(time.tv_nsec, 9, 'Z');
  return std::string(text.view());
}

std::string utc_now(Precision precision) {
  timespec time = {};
  (void)sys::clock_gettime(CLOCK_REALTIME, time);
  return utc_text(time, precision);
}

}  // namespace onggi
