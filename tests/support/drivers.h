// SPDX-License-Identifier: Apache-2.0
// The cgroup drivers that a host has, for cases about what each of them must do.
#pragma once

#include "support/run.h"

#include <string>
#include <vector>

namespace onggi::test {

// One way to have the runtime make its cgroups. A container without a linux.cgroupsPath is in a
// cgroup, or in a unit, that is named for its id.
struct Driver {
  std::string name;  // "cgroupfs", "systemd"
  Strings options;   // of the runtime, before the command
  bool is_systemd = false;
};
// cgroupfs, and systemd's where it is the manager of this host.
const std::vector<Driver>& drivers();

}  // namespace onggi::test
