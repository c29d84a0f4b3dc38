// SPDX-License-Identifier: Apache-2.0
// The layers of an image under one writable layer, attached at a directory.
#pragma once

#include "store/image.h"
#include "store/snapshots.h"

namespace onggi::image {

struct WritableLayer {
  int directory = -1;      // has the subdirectories upper, work and rootfs
  bool is_lasting = true;  // else it may be lost with the machine's power, and nothing is synced
};

// At its rootfs, in this mount namespace. All layers must be there (Snapshots::make).
Result<> attach_image(const Snapshots& snapshots, const Image& image, const WritableLayer& layer);

}  // namespace onggi::image
