// SPDX-License-Identifier: Apache-2.0
// What systemd is told of a unit: the limits that it has words for, so that it does not undo them
// when it writes its own idea of the unit to the kernel (at daemon-reload, for one). Pure.
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"
#include "plan/systemd_unit.h"
#include "spec/spec.h"

#include <span>
#include <string_view>
#include <vector>

namespace onggi::plan {

using UnitProperties = std::vector<UnitProperty>;

// What every unit of ours has, by name and version of cgroups.
void add_unit_basics(const UnitPath& path, std::string_view id, bool unified,
                     UnitProperties& properties);

// The settings of `plan` in systemd's words. A value that systemd would refuse is left out: the
// kernel judges it when the file is written, and its answer has the place in config.json.
void add_unit_limits(const CgroupPlan& plan, UnitProperties& properties);

// Everything that the policy allows; what systemd cannot express is allowed by it, and denied by
// the rules of our own that are in force beside its own.
void add_unit_devices(const DevicePolicy& policy, UnitProperties& properties);

// The annotations "org.systemd.property.<Name>", whose values are GVariant text: booleans,
// integers, strings and arrays of them. A name that ends in Sec is made USec. The error names the
// annotation.
Result<> add_unit_annotations(const spec::TextMap& annotations, UnitProperties& properties);

}  // namespace onggi::plan
