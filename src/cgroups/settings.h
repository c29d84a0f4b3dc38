// SPDX-License-Identifier: Apache-2.0
// Writing a list of cgroup settings.
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"

#include <span>
#include <vector>

namespace onggi::cgroups {

// In their order, into `directories`. The error names the setting's place in the config, the file
// and the value.
Result<> write_settings(std::span<const plan::CgroupDirectory> directories,
                        std::span<const plan::CgroupSetting> settings);

// What would bring the files of `settings` back to what they hold now, in the order of writing. A
// file that cannot be read is left out.
std::vector<plan::CgroupSetting> read_settings(std::span<const plan::CgroupDirectory> directories,
                                               std::span<const plan::CgroupSetting> settings);

}  // namespace onggi::cgroups
