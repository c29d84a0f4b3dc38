// SPDX-License-Identifier: Apache-2.0
// An ordinary user's images have files of many owners. As podman does, commands that touch them run
// in a user namespace in which the user is root and the subordinate ids of subuid(5) are the
// others, and in a mount namespace of it.
#pragma once

#include "base/result.h"

namespace onggi::image {

// For root nothing happens. Before any thread exists. With no subordinate ids, or without
// newuidmap(1), there is one id alone; a warning says so.
Result<> enter_user_namespace();

}  // namespace onggi::image
