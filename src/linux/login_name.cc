// SPDX-License-Identifier: Apache-2.0
// From /etc/passwd alone: getpwuid(3) would load the name services of the host into a program that
// is linked statically.
#include "linux/login_name.h"

#include "base/file.h"
#include "base/split.h"

namespace onggi {

// passwd(5): NAME:PASSWORD:UID:...
std::string login_name(const std::string& uid) {
  if (uid == "0") return "root";
  constexpr size_t kLimit = size_t{64} << 20;
  const Result<std::string> users = read_file(AT_FDCWD, "/etc/passwd", kLimit);
  if (!users) return uid;
  for (const std::string_view line : lines_of(users.value())) {
    const size_t name = line.find(':');
    if (name == 0 || name == line.npos || line[0] == '#') continue;
    const size_t password = line.find(':', name + 1);
    if (password == line.npos) continue;
    const std::string_view rest = line.substr(password + 1);
    if (rest.substr(0, rest.find(':')) == uid) return std::string(line.substr(0, name));
  }
  return uid;
}

}  // namespace onggi
