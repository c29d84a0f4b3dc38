// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "commandline/duration.h"

#include "base/ascii.h"
#include "base/text.h"

#include <algorithm>

namespace onggi::cli {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLongest = int64_t{100} * 365 * 24 * 3600 * kSecond;

// Longer names before those that they begin with.
constexpr struct {
  std::string_view name;
  int64_t nanoseconds;
} kUnits[] = {{"ms", 1'000'000},     {"us", 1000},        {"ns", 1},
              {"h", 3600 * kSecond}, {"m", 60 * kSecond}, {"s", kSecond}};

// Takes the digits off the text.
std::string_view take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const std::string_view digits = text.substr(0, static_cast<size_t>(end - text.begin()));
  text.remove_prefix(digits.size());
  return digits;
}

std::optional<int64_t> take_unit(std::string_view& text) {
  for (const auto& unit : kUnits) {
    if (!text.starts_with(unit.name)) continue;
    text.remove_prefix(unit.name.size());
    return unit.nanoseconds;
  }
  return std::nullopt;
}

// "1.5m", in nanoseconds.
std::optional<int64_t> take_part(std::string_view& text, bool unit_needed) {
  const std::optional<int64_t> whole = parse_decimal<int64_t>(take_digits(text));
  if (!whole) return std::nullopt;
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
  }
  const std::optional<int64_t> unit = take_unit(text);
  if (!unit && (unit_needed || !text.empty())) return std::nullopt;
  const int64_t scale = unit.value_or(kSecond);
  if (*whole > kLongest / scale) return std::nullopt;
  int64_t part = *whole * scale;
  int64_t place = scale;
  for (const char digit : fraction) part += (place /= 10) * (digit - '0');
  return part;
}

}  // namespace

std::optional<int64_t> parse_duration(std::string_view text) {
  int64_t sum = 0;
  bool first = true;
  do {
    const std::optional<int64_t> part = take_part(text, !first);
    if (!part || *part > kLongest - sum) return std::nullopt;
    sum += *part;
    first = false;
  } while (!text.empty());
  return sum / 1'000'000;
}

}  // namespace onggi::cli
