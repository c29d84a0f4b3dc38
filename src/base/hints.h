// SPDX-License-Identifier: Apache-2.0
// Advice for system calls that fail for a reason their errno does not tell.
#pragma once

#include <string_view>

namespace onggi {

// `message` is that of a system error: the call's name, then its object in quotes ("mkdir
// '/sys/fs/cgroup/web'"). Empty when there is nothing to add.
std::string_view hint_for(std::string_view message, int errnum);

}  // namespace onggi
