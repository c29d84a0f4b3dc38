// SPDX-License-Identifier: Apache-2.0
// The last step before an execve, for the container's program and for each of its startContainer
// hooks, in the process of either.
#pragma once

#include "linux/init/context.h"
#include "linux/init/filter.h"

namespace onggi {

struct Confinement {
  const InitContext& context;
  Filter filter;
  uint64_t kept = 0;  // capabilities that this step needs and the program will not have
};

// A courier has to carry the filter's listener, or what is to be said on the socket `report`.
bool needs_courier(const Filter& filter, int report);
// process.scheduler and the filter. An error is one from before the load.
Result<> confine(const Confinement& confinement);

}  // namespace onggi
