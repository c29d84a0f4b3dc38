// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "base/size.h"

#include "base/text.h"

#include <limits>

namespace onggi {

std::optional<int64_t> parse_size(std::string_view text) {
  if (text == "-1") return -1;
  constexpr std::string_view kUnits = "bkmgt";
  unsigned shift = 0;
  if (!text.empty()) {
    const size_t unit = kUnits.find(static_cast<char>(text.back() | 0x20));
    if (unit != std::string_view::npos) {
      shift = static_cast<unsigned>(10 * unit);
      text.remove_suffix(1);
    }
  }
  const std::optional<int64_t> number = parse_decimal<int64_t>(text);
  if (!number || *number < 0 || *number > std::numeric_limits<int64_t>::max() >> shift)
    return std::nullopt;
  return *number << shift;
}

}  // namespace onggi
