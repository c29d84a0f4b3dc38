// SPDX-License-Identifier: Apache-2.0
// The image config's User -> ids, by the image's own passwd and group. No NSS: it would load
// libraries and read files of the image (CVE-2019-14271).
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace onggi::image {

struct ContainerUser {
  uint32_t uid = 0, gid = 0;
  std::vector<uint32_t>
      groups;  // with gid: without it a file could deny the group its mode (CVE-2022-2989)
  std::string home = "/";
};

// "", "user", "uid", "user:group", "uid:gid", "user:gid", "uid:group". A number is never looked up
// as a name, and one out of range is an error (CVE-2024-40635). `root` is the root filesystem; its
// files are found inside of it, must be regular and are limited in size (CVE-2024-9676).
Result<ContainerUser> resolve_user(const std::string& user, int root);

}  // namespace onggi::image
