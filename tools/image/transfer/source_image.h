// SPDX-License-Identifier: Apache-2.0
// What a source says of an image without its layers: for inspect and history.
#pragma once

#include "model/platform.h"
#include "transfer/endpoint.h"

#include <optional>

namespace onggi::image {

struct SourceImage {
  ImageSource::Named named;           // what has the name
  ImageSource::Named manifest;        // the same, or out of the index for a platform
  std::optional<ImageConfig> config;  // nothing: an artifact
};

Result<SourceImage> read_source_image(ImageSource& source, const Platform& platform);

// Out of indexes within indexes; a manifest is what it is.
Result<ImageSource::Named> choose_platform(ImageSource& source, ImageSource::Named named,
                                           const Platform& platform);

}  // namespace onggi::image
