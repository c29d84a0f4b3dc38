// SPDX-License-Identifier: Apache-2.0
// An ordinary user's images have files of many owners. As podman does, commands that touch them run
// in a user namespace in which the user is root and the subordinate ids of subuid(5) are the
// others, and in a mount namespace of it.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace onggi::image {

// As in uid_map: `count` ids from `inside` on are those from `outside` on.
struct IdMapping {
  uint32_t inside = 0, outside = 0, count = 1;
};
struct UserMappings {
  std::vector<IdMapping> uids, gids;
};

// For root nothing happens, and the value is empty. Before any thread exists. With no subordinate
// ids, or without newuidmap(1), there is one id alone; a warning says so.
Result<std::optional<UserMappings>> enter_user_namespace();

}  // namespace onggi::image
