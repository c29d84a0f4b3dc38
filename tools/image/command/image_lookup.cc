// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/image_lookup.h"

namespace onggi::image {

Result<Image> image_to_run(const Store& store, const std::string& name, const Platform& platform,
                           Pull) {
  const StoredImage stored = TRY(store.find(name));
  const Layout layout = TRY(store.read());
  return read_image(layout, stored.descriptor, platform);
}

}  // namespace onggi::image
