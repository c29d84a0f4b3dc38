// SPDX-License-Identifier: Apache-2.0
// Lists of CPUs and memory nodes as the kernel writes them: "0-3,7" (cpuset(7), List format).
#pragma once

#include "spec/spec.h"

#include <optional>
#include <vector>

namespace onggi::spec {

struct NumberRange {
  uint32_t first = 0, last = 0;  // both included
};

// Blanks around numbers are allowed. Nothing: it is no such list, or names a number above 65535,
// which is eight times what Linux can be built for.
std::optional<std::vector<NumberRange>> parse_number_list(Text list);

// One bit a number, the lowest first: what sched_setaffinity(2) and set_mempolicy(2) take. As long
// as the highest number needs, not cut off at 1024.
std::vector<uint64_t> bit_mask(const std::vector<NumberRange>& ranges);

}  // namespace onggi::spec
