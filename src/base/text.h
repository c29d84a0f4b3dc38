// SPDX-License-Identifier: Apache-2.0
// Text without heap, locale or libc: a bounded buffer that is appended to, and strict number
// parsing. Freestanding: onggi-init links it too.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

namespace onggi {

// NUL-terminated text of at most N-1 bytes. What does not fit is cut off; trivially copyable, so it
// may travel over a socket as part of a larger record.
template <size_t N>
class FixedText {
 public:
  constexpr FixedText() = default;
  constexpr FixedText(std::string_view text) {
    append(text);
  }  // NOLINT(google-explicit-constructor)

  constexpr std::string_view view() const { return {bytes_, size_}; }
  constexpr const char* c_str() const { return bytes_; }
  constexpr bool empty() const { return size_ == 0; }
  // Of a record that came from a process that somebody else may have got hold of.
  constexpr bool well_formed() const { return size_ < N && bytes_[size_] == 0; }
  constexpr void clear() { bytes_[size_ = 0] = 0; }

  constexpr FixedText& append(std::string_view text) {
    for (char c : text) {
      if (size_t{size_} + 1 >= N) break;
      bytes_[size_++] = c;
    }
    bytes_[size_] = 0;
    return *this;
  }
  constexpr FixedText& append(const char* text) { return append(std::string_view(text)); }
  constexpr FixedText& append(char c) { return append(std::string_view(&c, 1)); }
  template <std::integral I>
  constexpr FixedText& append(I number) {
    const auto magnitude = static_cast<uint64_t>(number);
    if (number < 0) return append('-').append_padded(0 - magnitude, 1);
    return append_padded(magnitude, 1);
  }
  // At least `width` digits, with zeros in front. `base`: up to 16, in lower case.
  constexpr FixedText& append_padded(uint64_t number, size_t width, unsigned base = 10) {
    char digits[64];
    size_t at = sizeof digits;
    while (number != 0 || sizeof digits - at < width) {
      digits[--at] = "0123456789abcdef"[number % base];
      number /= base;
    }
    return append(std::string_view(digits + at, sizeof digits - at));
  }
  template <class First, class Second, class... Rest>
  constexpr FixedText& append(const First& first, const Second& second, const Rest&... rest) {
    append(first);
    append(second);
    (append(rest), ...);
    return *this;
  }

 private:
  uint16_t size_ = 0;
  char bytes_[N] = {};
};

template <size_t N, class... Parts>
constexpr FixedText<N> text(const Parts&... parts) {
  FixedText<N> joined;
  (joined.append(parts), ...);
  return joined;
}

// The whole of `digits` as a decimal number; nothing when it is empty, has any other character
// (sign, blank, base prefix) or does not fit.
template <std::integral I>
constexpr std::optional<I> parse_decimal(std::string_view digits) {
  const bool negative = std::is_signed_v<I> && digits.starts_with('-');
  if (negative) digits.remove_prefix(1);
  if (digits.empty() || digits.size() > 20) return std::nullopt;
  uint64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (value > (std::numeric_limits<uint64_t>::max() - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  const auto limit = static_cast<uint64_t>(std::numeric_limits<I>::max()) + (negative ? 1 : 0);
  if (value > limit) return std::nullopt;
  return static_cast<I>(negative ? 0 - value : value);
}

}  // namespace onggi
