// SPDX-License-Identifier: Apache-2.0
// A blob is written to a file without a name, since its digest is known last.
#include "store/new_layer.h"

#include "base/file.h"

namespace onggi::image {
namespace {

// What the image's layers show together: empty if it has none.
struct Merged {
  UniqueFd root = {};
  bool is_mount = false;  // else it is the only layer's directory
};

Result<Merged> open_merged(const Snapshots& snapshots, const Image& image) {
  std::vector<UniqueFd> layers = TRY(snapshots.open(image));
  if (layers.empty()) return Merged();
  if (layers.size() == 1) return Merged{std::move(layers.front())};
  const UniqueFd mount = TRY(mount_overlay({layers}));
  return Merged{TRY(open_directory(mount.get(), ".")), true};
}

Result<UniqueFd> unnamed_file(const Store& store) {
  const long opened = sys::openat(store.directory(), ".", O_TMPFILE | O_RDWR, 0600);
  if (opened < 0) return system_error(opened, "open", "a new blob");
  return UniqueFd(opened);
}

Result<LayerDiff> store_diff(const Store& store, UniqueFd upper, UniqueFd lower,
                             const DiffOptions& options) {
  const UniqueFd file = TRY(unnamed_file(store));
  LayerDiff diff = TRY(write_layer_diff(std::move(upper), std::move(lower), options, file.get()));
  if (diff.entries != 0) TRY(store.layout().adopt(file.get(), diff.blob.descriptor));
  return diff;
}

}  // namespace

Result<LayerDiff> store_changes(const Store& store, const Image& image, UniqueFd upper,
                                DiffOptions options) {
  const Snapshots snapshots(store);
  Merged lower = TRY(open_merged(snapshots, image));
  options.user_xattrs = in_user_namespace();
  options.lower_is_layer = !lower.is_mount;
  return store_diff(store, std::move(upper), std::move(lower.root), options);
}

Result<LayerDiff> store_flattened(const Store& store, const Image& image, DiffOptions options) {
  const Snapshots snapshots(store);
  Merged merged = TRY(open_merged(snapshots, image));
  if (!merged.root) return state_error("the image has no layers");
  options.user_xattrs = in_user_namespace();
  options.upper_is_mount = merged.is_mount;
  return store_diff(store, std::move(merged.root), UniqueFd(), options);
}

}  // namespace onggi::image
