// SPDX-License-Identifier: Apache-2.0
// Removes what nothing needs: neither a name, nor a container, nor a bundle.
#pragma once

#include "store/store.h"

namespace onggi::image {

struct Collected {
  unsigned blobs = 0, layers = 0;
  uint64_t bytes = 0;  // of blobs and of transfers that broke off
};

// `store` is locked as exclusive. Everything goes to trash/ by rename, so that a gc that is killed
// leaves a store without holes, and the next one goes on.
Result<Collected> collect_garbage(const Store& store);

}  // namespace onggi::image
