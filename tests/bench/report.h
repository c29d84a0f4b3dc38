// SPDX-License-Identifier: Apache-2.0
// The same figures three times: to read, to compute with, to look at.
#pragma once
#include "bench/machine.h"
#include "bench/measure.h"

namespace bench {

struct Report {
  Machine machine;
  Plan plan;
  std::vector<Subject> subjects;
  std::vector<Result> results;
  std::vector<Held> held;
};

void print_machine(const Report& report);
void print_table(const Result& result);
void print_table(const std::vector<Held>& held);
std::string to_json(const Report& report);
std::string to_svg(const Report& report);

// "run, back to back"; "lifecycle create, after 100 ms of idleness"
std::string title_of(const Result& result);

}  // namespace bench
