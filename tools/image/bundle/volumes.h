// SPDX-License-Identifier: Apache-2.0
// Directories and files of the host in a container, and volumes: directories that outlive it and
// begin with what the image has at their place.
#pragma once

#include "bundle/bundle_config.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct Volume {
  enum class Kind : uint8_t { bind, named, anonymous };
  Kind kind = Kind::bind;
  std::string source;  // a path or a name; of an anonymous one empty
  std::string destination;
  Strings options;
};

// "[SOURCE:]DESTINATION[:OPTION,...]". A SOURCE with a slash is a path, else the name of a volume.
Result<Volume> parse_volume(std::string_view text);
// The image's own, unless one of `volumes` is at the same place.
void add_image_volumes(const ImageConfig& image, std::vector<Volume>& volumes);

// Where volumes are: named ones in the store, anonymous ones with their container.
struct VolumePlaces {
  std::string named, anonymous;  // directories
  int rootfs = -1;               // what a new volume begins with is taken from it
};

// Makes what is not there yet. A bind's source must exist.
Result<BundleMount> prepare_volume(const Volume& volume, const VolumePlaces& places);

}  // namespace onggi::image
