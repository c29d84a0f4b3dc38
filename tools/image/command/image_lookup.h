// SPDX-License-Identifier: Apache-2.0
// The image that a user names, for commands that use its layers.
#pragma once

#include "command/copy.h"
#include "store/image.h"
#include "store/store.h"

namespace onggi::image {

enum class Pull : uint8_t { missing, always, never };

struct LookupFlags {
  std::string platform, authfile;
  Pull pull = Pull::missing;
  bool plain_http = false;
  LayerLimits limits = {};
  long stall_seconds = kStallSeconds;
};

// From the store, where it is after that; its registry is asked as `pull` says.
Result<Image> image_in_store(const Store& store, const std::string& name, const LookupFlags& flags);

// The platform that `text` names, or this machine's.
Result<Platform> platform_or_host(const std::string& text);

}  // namespace onggi::image
