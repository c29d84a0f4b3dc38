// SPDX-License-Identifier: Apache-2.0
// What a user says in place of what the image says.
#pragma once

#include "base/result.h"
#include "model/descriptor.h"

#include <optional>

namespace onggi::image {

struct Overrides {
  Strings arguments;                      // in place of Cmd
  std::optional<std::string> entrypoint;  // one program; empty: none. Without it Cmd counts no more
  Strings environment;                    // "NAME=VALUE", or "NAME" with this process's value
  std::string user, working_dir;          // empty: the image's
};

Result<> apply_overrides(const Overrides& overrides, ContainerConfig& config);

}  // namespace onggi::image
