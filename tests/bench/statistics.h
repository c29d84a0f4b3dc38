// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/measure.h"

namespace bench {

struct Quartiles {
  double first = 0, median = 0, third = 0;  // interpolated; 0 of nothing
};
Quartiles quartiles(std::vector<double> values);

using Figure = double Usage::*;
Quartiles quartiles(const Series& series, Figure figure);
// Of the ratios series/base, each taken within one round.
Quartiles ratios(const Series& series, const Series& base, Figure figure);
double median(const Series& series, long Counts::*figure);

}  // namespace bench
