// SPDX-License-Identifier: Apache-2.0
// Reads the whole store again: every blob's size and digest, every layer's diffID, and whether the
// snapshots have what an overlay of them needs.
#pragma once

#include "layer/layer_stream.h"
#include "store/store.h"

namespace onggi::image {

struct Damage {
  std::string image;  // a name or digest; empty: of no image
  std::string path;   // below the store; empty: the image is wrong as it was published
  Error error;
};

struct Verified {
  unsigned images = 0, blobs = 0, layers = 0;
  uint64_t bytes = 0;
  std::vector<Damage> damages;

  size_t removable() const;
};

Result<Verified> verify_store(const Store& store, const LayerLimits& limits);

}  // namespace onggi::image
