// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "process/log_time.h"

#include "base/ascii.h"
#include "base/text.h"
#include "base/utc.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace onggi::image {
namespace {

// Takes digits off the text; with a width exactly so many.
std::optional<int64_t> take_number(std::string_view& text, size_t width = 0) {
  const auto* end = std::ranges::find_if_not(text, is_digit);
  size_t size = static_cast<size_t>(end - text.begin());
  if (width != 0 && size < width) return std::nullopt;
  if (width != 0) size = width;
  const auto number = parse_decimal<int64_t>(text.substr(0, size));
  text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

// ".5" -> 500000000; nothing there -> 0.
std::optional<long> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0;
  long value = 0, unit = 100'000'000;
  bool any = false;
  for (; !text.empty() && is_digit(text.front()); text.remove_prefix(1), unit /= 10) {
    value += unit * (text.front() - '0');
    any = true;
  }
  return any ? std::optional(value) : std::nullopt;
}

struct DateField {
  char before;
  size_t width;
  int least, most;
};
constexpr DateField kFields[] = {{0, 4, 1970, 9999}, {'-', 2, 1, 12}, {'-', 2, 1, 31},
                                 {'T', 2, 0, 23},    {':', 2, 0, 59}, {':', 2, 0, 60}};
constexpr size_t kDateFields = 3;

// Seconds east of Greenwich; nothing there: no zone is given.
std::optional<int64_t> take_zone(std::string_view& text) {
  if (take(text, 'Z')) return 0;
  if (!text.starts_with('+') && !text.starts_with('-')) return std::nullopt;
  const int sign = text.front() == '+' ? 1 : -1;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  const bool has_colon = take(text, ':');
  const auto minutes = has_colon ? take_number(text, 2) : std::nullopt;
  if (!hours || !minutes) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

std::optional<timespec> parse_date(std::string_view text) {
  std::array<int, 6> values = {1970, 1, 1, 0, 0, 0};
  size_t count = 0;
  for (const DateField& field : kFields) {
    if (count >= kDateFields && (text.empty() || text.front() != field.before)) break;
    if (field.before != 0 && !take(text, field.before)) return std::nullopt;
    const auto number = take_number(text, field.width);
    if (!number || *number < field.least || *number > field.most) return std::nullopt;
    values[count++] = static_cast<int>(*number);
  }
  if (count == kDateFields + 1) return std::nullopt;  // an hour without minutes
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  tm broken = {};
  broken.tm_year = values[0] - 1900;
  broken.tm_mon = values[1] - 1;
  broken.tm_mday = values[2];
  broken.tm_hour = values[3];
  broken.tm_min = values[4];
  broken.tm_sec = values[5];
  broken.tm_isdst = -1;
  if (text.empty()) return timespec{mktime(&broken), *fraction};
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return timespec{timegm(&broken) - *zone, *fraction};
}

}  // namespace

std::optional<std::string> parse_log_time(std::string_view text) {
  std::optional<timespec> time;
  if (text.find_first_not_of("0123456789.") == text.npos) {
    std::string_view rest = text;
    const auto seconds = take_number(rest);
    const auto fraction = take_fraction(rest);
    if (seconds && fraction && rest.empty()) time = timespec{*seconds, *fraction};
  } else {
    time = parse_date(text);
  }
  constexpr time_t kYear10000 = 253'402'300'800;
  if (!time || time->tv_sec < 0 || time->tv_sec >= kYear10000) return std::nullopt;
  return utc_text(*time, Precision::nanoseconds);
}

}  // namespace onggi::image
