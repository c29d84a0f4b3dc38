// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace bench {

// What figures depend on beside the programs.
struct Machine {
  std::string kernel, processor, cgroups, time;
  int processors = 0;  // that we may use
  double load = 0;     // of the last minute: above a fraction, the machine is not quiet
};
Machine this_machine();

}  // namespace bench
