// SPDX-License-Identifier: Apache-2.0
// Strict where the kernel is lenient: no strides ("0-9:2/4"), no hexadecimal, no empty items.
#include "spec/number_list.h"

#include "base/text.h"

#include <algorithm>

namespace onggi::spec {
namespace {

Text trim(Text item) {
  while (item.starts_with(' ')) item.remove_prefix(1);
  while (item.ends_with(' ')) item.remove_suffix(1);
  return item;
}

std::optional<NumberRange> parse_range(Text item) {
  constexpr uint32_t kMaxNumber = 65535;
  const size_t dash = item.find('-');
  const auto first = parse_decimal<uint32_t>(trim(item.substr(0, dash)));
  const auto last =
      dash == item.npos ? first : parse_decimal<uint32_t>(trim(item.substr(dash + 1)));
  if (!first || !last || *first > *last || *last > kMaxNumber) return std::nullopt;
  return NumberRange{*first, *last};
}

}  // namespace

std::optional<std::vector<NumberRange>> parse_number_list(Text list) {
  std::vector<NumberRange> ranges;
  for (;;) {
    const size_t comma = list.find(',');
    const std::optional<NumberRange> range = parse_range(trim(list.substr(0, comma)));
    if (!range) return std::nullopt;
    ranges.push_back(*range);
    if (comma == list.npos) return ranges;
    list.remove_prefix(comma + 1);
  }
}

std::vector<uint64_t> bit_mask(const std::vector<NumberRange>& ranges) {
  std::vector<uint64_t> mask;
  for (const NumberRange& range : ranges) {
    mask.resize(std::max<size_t>(mask.size(), range.last / 64 + 1));
    for (uint32_t number = range.first; number <= range.last; number++) {
      mask[number / 64] |= uint64_t{1} << (number % 64);
    }
  }
  return mask;
}

}  // namespace onggi::spec
