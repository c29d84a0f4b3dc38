// SPDX-License-Identifier: Apache-2.0
// What onggi asks of onggi-systemd (src/systemd) and what it answers. Both are of one build, so
// there is no version in it.
//   standard input    a UnitRequest, encoded: fields that each end with a NUL, the first one the
//                     command; of each property its name, its signature, the number of its values,
//                     its values
//   standard output   one UnitAnswer as it stands
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace onggi::plan {

enum class UnitCommand : uint8_t {
  start,  // StartTransientUnit; returns when the unit has started
  stop,   // StopUnit and ResetFailedUnit; a unit that is gone is success
  set,    // SetUnitProperties until the next boot; returns when the kernel has them
};

struct UnitRequest {
  UnitCommand command = UnitCommand::stop;
  bool user = false;  // on the bus of the user's manager
  std::string unit;
  std::vector<UnitProperty> properties;  // of `start` and `set`; places are not sent
};

struct UnitAnswer {
  uint32_t failed = 1;
  char cgroup[4096] = {};  // of `start`: the unit's cgroup, as systemd names it; NUL-terminated
  Error error;             // EEXIST: there is a unit of that name
};
static_assert(std::is_trivially_copyable_v<UnitAnswer>);

// What can be sent as it is asked for: no NUL in it.
std::string encode(const UnitRequest& request);

// Anything that encode() would not write is an error.
Result<UnitRequest> decode_unit_request(std::string_view bytes);

}  // namespace onggi::plan
