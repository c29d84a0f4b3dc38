// SPDX-License-Identifier: Apache-2.0
// Where programs of others are.
#pragma once

#include "base/split.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace onggi::image {

// In $PATH.
inline bool is_installed(std::string_view program) {
  const char* places = std::getenv("PATH");
  for (std::string_view place : Split(places == nullptr ? "" : places, ':')) {
    if (access(std::string(place).append("/").append(program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

// podman's helpers are not in $PATH (containers.conf(5), helper_binaries_dir). Empty: not there.
inline std::string podman_helper(std::string_view program) {
  for (std::string_view place : {"/usr/local/libexec/podman", "/usr/local/lib/podman",
                                 "/usr/libexec/podman", "/usr/lib/podman"}) {
    std::string path = std::string(place).append("/").append(program);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

}  // namespace onggi::image
