// SPDX-License-Identifier: Apache-2.0
// Names of users.
#pragma once

#include <string>

namespace onggi {

// "root", by /etc/passwd; the number itself if it has no entry there.
std::string login_name(const std::string& uid);

}  // namespace onggi
