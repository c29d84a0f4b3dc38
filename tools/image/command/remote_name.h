// SPDX-License-Identifier: Apache-2.0
// The name of an image in a registry as a user writes it; of a short one it may have to be asked
// what it stands for.
#pragma once

#include "model/reference.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct RemoteName {
  std::vector<std::string> names;  // in full; several: to be tried in this order
  std::string answered;            // the short name that the user has been asked about, or empty
};
// With "docker://" before it, a short name is Docker Hub's, as for skopeo and podman.
Result<RemoteName> choose_remote_name(std::string_view text);
// After the image has been there.
void remember(const RemoteName& name);

// For what is asked of one registry alone: "HOST/REPOSITORY[:TAG][@DIGEST]".
Result<Reference> parse_remote(std::string_view text);

}  // namespace onggi::image
