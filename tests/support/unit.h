// SPDX-License-Identifier: Apache-2.0
// systemd's view of units, on a host where systemd() is met.
#pragma once

#include "support/run.h"

namespace onggi::test {

Outcome systemctl(Strings words);
// The value of a property as `systemctl show` prints it; without the newline.
std::string shown(const std::string& unit, const std::string& property);
bool loaded(const std::string& unit);
// Transient units of the system's manager and of users', whose names have the tag.
Strings tagged_units();

}  // namespace onggi::test
