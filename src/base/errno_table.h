// SPDX-License-Identifier: Apache-2.0
// What errno values are called, as errno(3) has them. Empty for a number that Linux does not use.
#pragma once

#include <string_view>

namespace onggi {

// "ENOENT"
std::string_view errno_name(int errnum);
// "No such file or directory"
std::string_view errno_description(int errnum);

}  // namespace onggi
