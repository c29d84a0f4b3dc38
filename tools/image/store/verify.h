// SPDX-License-Identifier: Apache-2.0
// Reads the whole store again: every blob's size and digest, every layer's diffID, and the unpacked
// layers. Those are made once more of their blobs and compared: so unpacking costs nothing for it,
// and there is no record that could be wrong itself.
#pragma once

#include "layer/layer_stream.h"
#include "layer/tree_compare.h"
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

// CompareContent::no: of the unpacked files only the metadata is compared. An error: the store
// cannot be read, or a layer cannot be made again for want of space, say.
Result<Verified> verify_store(const Store& store, const LayerLimits& limits,
                              CompareContent content);

}  // namespace onggi::image
