// SPDX-License-Identifier: Apache-2.0
// Text and numbers one after the other, each ended by a NUL: how a companion program is asked
// (linux/companion.h). No escapes, and one spelling for each value.
#pragma once

#include "base/text.h"

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace onggi {

// There is no NUL in `field`.
inline void add_field(std::string& bytes, std::string_view field) {
  bytes.append(field) += '\0';
}
template <std::integral I>
void add_field(std::string& bytes, I number) {
  add_field(bytes, text<24>(number).view());
}

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  // Refers to the bytes that are read. A NUL follows it there, so its data() is a C string.
  std::optional<std::string_view> next() {
    const size_t end = rest_.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view field = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return field;
  }
  template <std::integral I>
  std::optional<I> next_number() {
    const std::optional<std::string_view> field = next();
    return field ? parse_decimal<I>(*field) : std::nullopt;
  }
  // The index of the next field among `words`.
  template <size_t N>
  std::optional<size_t> next_of(const std::string_view (&words)[N]) {
    const std::optional<std::string_view> field = next();
    for (size_t i = 0; field && i < N; i++) {
      if (words[i] == *field) return i;
    }
    return std::nullopt;
  }

 private:
  std::string_view rest_;
};

}  // namespace onggi
