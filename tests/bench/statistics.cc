// SPDX-License-Identifier: Apache-2.0
#include "bench/statistics.h"

#include <algorithm>
#include <cmath>

namespace bench {
namespace {

double at(const std::vector<double>& sorted, double part) {
  const double place = part * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

}  // namespace

Quartiles quartiles(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {at(values, 0.25), at(values, 0.5), at(values, 0.75)};
}

Quartiles quartiles(const Series& series, Figure figure) {
  std::vector<double> values;
  for (const Usage& usage : series.rounds) values.push_back(usage.*figure);
  return quartiles(std::move(values));
}

Quartiles ratios(const Series& series, const Series& base, Figure figure) {
  std::vector<double> values;
  for (size_t i = 0; i < std::min(series.rounds.size(), base.rounds.size()); i++) {
    const double divisor = base.rounds[i].*figure;
    if (divisor > 0) values.push_back(series.rounds[i].*figure / divisor);
  }
  return quartiles(std::move(values));
}

double median(const Series& series, long Counts::*figure) {
  std::vector<double> values;
  for (const Counts& counts : series.counted) values.push_back(static_cast<double>(counts.*figure));
  return quartiles(std::move(values)).median;
}

}  // namespace bench
