// SPDX-License-Identifier: Apache-2.0
// What keeps an image in the store beside its names: containers (containers/ID/container.json) and
// bundles elsewhere (bundles/DIGEST-OF-PATH.json). Both records have the digest of a manifest.
#pragma once

#include "store/store.h"

#include <string>
#include <vector>

namespace onggi::image {

struct Use {
  std::string record;  // below the store
  Digest manifest;
  std::string bundle;  // the path of a bundle, else empty
};

// Containers and bundles that are still there. A record that cannot be read is an error: what it
// keeps is not known.
Result<std::vector<Use>> uses(const Store& store);

// Before the bundle refers to any layer. `path` is absolute.
Result<> record_bundle(const Store& store, const std::string& path, const Digest& manifest);
// No error if there is no record.
Result<> forget_bundle(const Store& store, const std::string& path);
// Records of bundles that have gone.
Result<> forget_gone_bundles(const Store& store);

}  // namespace onggi::image
