// SPDX-License-Identifier: Apache-2.0
// Extended attributes of a file by its descriptor, which may be one of O_PATH: no call takes that
// before Linux 6.13, so they go by its name in /proc.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

class Xattrs {
 public:
  // Borrows the descriptor. `path_only`: it is one of O_PATH.
  Xattrs(int fd, bool path_only);

  // None where the filesystem has none.
  Result<std::vector<std::string>> names() const;
  Result<std::string> get(const std::string& name) const;
  // 0 or a negated errno: the caller knows which are to be survived.
  long set(const std::string& name, std::string_view value) const;
  long remove(const std::string& name) const;

 private:
  int fd_;
  std::string path_;
};

// Those of the host, which are neither put into a layer nor taken out of one: a label by its
// policy, ACLs of a server.
bool is_hosts_own(std::string_view name);

}  // namespace onggi::image
