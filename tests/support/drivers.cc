// SPDX-License-Identifier: Apache-2.0
#include "support/drivers.h"

#include "support/suite.h"

namespace onggi::test {

const std::vector<Driver>& drivers() {
  static const std::vector<Driver> all = [] {
    std::vector<Driver> found = {{"cgroupfs", {}}};
    if (systemd().met) found.push_back({"systemd", {"--systemd-cgroup"}, true});
    return found;
  }();
  return all;
}

}  // namespace onggi::test
