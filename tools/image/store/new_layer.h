// SPDX-License-Identifier: Apache-2.0
// Layers that are made here, as blobs of the store.
#pragma once

#include "layer/layer_diff.h"
#include "store/snapshots.h"

namespace onggi::image {

// What `upper` has over the layers of the image; no layer, if that is nothing. `upper` is taken
// over; nobody may write to it meanwhile.
Result<LayerDiff> store_changes(const Store& store, const Image& image, UniqueFd upper,
                                DiffOptions options);
// All layers of the image as one.
Result<LayerDiff> store_flattened(const Store& store, const Image& image, DiffOptions options);

}  // namespace onggi::image
