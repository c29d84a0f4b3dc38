// SPDX-License-Identifier: Apache-2.0
// What onggi asks of onggi-systemd (src/systemd): the fields (base/fields.h) of a UnitRequest, the
// first one the command; of each property its name, its signature, the number of its values, its
// values. The answer (base/answer.h) to `start` is the unit's cgroup, as systemd names it.
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"

#include <cstdint>
#include <string>
#include <string_view>
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

// What can be sent as it is asked for: no NUL in it.
std::string encode(const UnitRequest& request);

// Anything that encode() would not write is an error.
Result<UnitRequest> decode_unit_request(std::string_view bytes);

}  // namespace onggi::plan
