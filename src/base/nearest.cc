// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include "base/ascii.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace onggi {
namespace {

// No name is longer; the distance of a text of megabytes would take minutes.
constexpr size_t kLongestWord = 64;

// Damerau-Levenshtein distance in its "optimal string alignment" form: a swap of neighbours counts
// as one slip.
size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<size_t> before_last, last, row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= from.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= to.size(); ++j) {
      const bool same = lower_case(from[i - 1]) == lower_case(to[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[to.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  std::string_view best;
  if (word.size() > kLongestWord) return best;
  size_t best_distance = std::max<size_t>(1, word.size() / 3) + 1;
  for (std::string_view candidate : candidates) {
    const size_t distance = edit_distance(word, candidate);
    // A short word is near to anything: the slip must be smaller than the word.
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace onggi
