// SPDX-License-Identifier: Apache-2.0
// The image that a user names, for commands that use its layers.
#pragma once

#include "command/container_options.h"
#include "store/image.h"
#include "store/store.h"

namespace onggi::image {

// From the store, where it is after that; asked of the registry as `pull` says.
Result<Image> image_to_run(const Store& store, const std::string& name, const Platform& platform,
                           Pull pull);

}  // namespace onggi::image
