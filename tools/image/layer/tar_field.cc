// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "layer/tar_field.h"

#include <algorithm>

namespace onggi::image {
namespace {

std::optional<int64_t> parse_base_256(std::string_view field) {
  const bool negative = (static_cast<unsigned char>(field[0]) & 0x40) != 0;
  // The first bit is only the mark; with the sign in its place the rest is plain two's complement.
  uint64_t value = negative ? UINT64_MAX : 0;
  bool first = true;
  for (char c : field) {
    auto byte = static_cast<unsigned char>(c);
    if (first && !negative) byte &= 0x7f;
    first = false;
    const uint64_t lost = value >> 55;  // the sign bit must not change
    if (lost != (negative ? UINT64_MAX >> 55 : 0)) return std::nullopt;
    value = value << 8 | byte;
  }
  return static_cast<int64_t>(value);
}

int hex_value(char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const size_t value = kDigits.find(lower);
  return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

}  // namespace

std::optional<int64_t> parse_tar_number(std::string_view field) {
  constexpr std::string_view kBlanks("\0 ", 2);
  if ((static_cast<unsigned char>(field[0]) & 0x80) != 0) return parse_base_256(field);
  field.remove_prefix(std::min(field.find_first_not_of(kBlanks), field.size()));
  const std::string_view digits = field.substr(0, field.find_first_of(kBlanks));
  int64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '7' || value > INT64_MAX / 8 - 1) return std::nullopt;
    value = value * 8 + (c - '0');
  }
  return value;
}

std::optional<Timestamp> parse_pax_time(std::string_view text) {
  const bool negative = text.starts_with('-');
  const size_t point = std::min(text.find('.'), text.size());
  const std::optional<int64_t> seconds = parse_decimal<int64_t>(text.substr(0, point));
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  if (!seconds || fraction.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  fraction.resize(9, '0');
  const uint32_t nanoseconds = parse_decimal<uint32_t>(fraction).value_or(0);
  if (!negative || nanoseconds == 0) return Timestamp{*seconds, nanoseconds};
  if (*seconds == INT64_MIN) return std::nullopt;
  return Timestamp{*seconds - 1, 1'000'000'000 - nanoseconds};
}

std::string decode_percent(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const int high = text[0] == '%' && text.size() > 2 ? hex_value(text[1]) : -1;
    const int low = high >= 0 ? hex_value(text[2]) : -1;
    decoded += low >= 0 ? static_cast<char>(high * 16 + low) : text[0];
    text.remove_prefix(low >= 0 ? 3 : 1);
  }
  return decoded;
}

}  // namespace onggi::image
