// SPDX-License-Identifier: Apache-2.0
// From /etc/passwd alone: getpwuid(3) would load the name services of the host into a program that
// is linked statically.
#include "linux/login_name.h"

#include <pwd.h>

#include <cstdio>

namespace onggi {

std::string login_name(const std::string& uid) {
  if (uid == "0") return "root";
  FILE* file = fopen("/etc/passwd", "re");
  if (file == nullptr) return uid;
  std::string name = uid;
  while (const passwd* entry = fgetpwent(file)) {
    if (std::to_string(entry->pw_uid) != uid) continue;
    name = entry->pw_name;
    break;
  }
  (void)fclose(file);
  return name;
}

}  // namespace onggi
