// SPDX-License-Identifier: Apache-2.0
// One image out of a source: its manifest and config, chosen by name and platform, and its layers
// put onto a directory.
#pragma once

#include "layer/layer_apply.h"
#include "store/layout.h"

namespace onggi::image {

struct Image {
  Descriptor descriptor;  // of the manifest
  Manifest manifest;
  ImageConfig config;
};

// The manifest for the platform, also out of indexes within indexes.
Result<Image> read_image(const Layout& layout, const Descriptor& named, const Platform& platform);

// One of the layers onto what those below have made. Its digests are right if there is no error,
// the blob's perhaps because it is known to be.
struct LayerReading {
  LayerLimits limits;
  BlobDigest digest = BlobDigest::unknown;
  FileContent content = FileContent::written;
};
Result<> apply_layer(const Layout& layout, const Image& image, size_t number, Rootfs& rootfs,
                     Attributes& attributes, const LayerReading& reading);
// Every layer, checked, onto the directory `root`, which is taken over and must be empty.
Result<> unpack_layers(const Layout& layout, const Image& image, UniqueFd root,
                       const LayerLimits& limits);

}  // namespace onggi::image
