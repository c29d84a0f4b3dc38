// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/mounted_image.h"

#include "base/file.h"
#include "layer/attributes.h"

namespace onggi::image {

Result<> attach_image(const Snapshots& snapshots, const Image& image, const WritableLayer& layer) {
  std::vector<UniqueFd> lower = TRY(snapshots.open(image));
  const UniqueFd upper = TRY(open_directory(layer.directory, "upper"));
  const UniqueFd work = TRY(open_directory(layer.directory, "work"));
  if (lower.empty()) {
    // An overlay needs one: rootfs is an empty directory.
    lower.push_back(TRY(open_directory(layer.directory, "rootfs")));
  } else {
    TRY(copy_directory_attributes(lower.front().get(), upper.get()));
  }
  const UniqueFd mount = TRY(mount_overlay({lower, upper.get(), work.get(), !layer.is_lasting}));
  const long moved =
      sys::move_mount(mount.get(), "", layer.directory, "rootfs", MOVE_MOUNT_F_EMPTY_PATH);
  if (moved < 0) return system_error(moved, "move_mount", "rootfs");
  return {};
}

}  // namespace onggi::image
