// SPDX-License-Identifier: Apache-2.0
// What an overlay's upper directory has, as a layer: entries in the order of their names, parents
// before what is in them, whiteouts before their siblings (image-spec layer.md). Applied onto the
// lower tree it gives the tree that the overlay shows. What only was copied up, without a change,
// is left out. Times are whole seconds.
#pragma once

#include "layer/encoder.h"
#include "layer/rootfs.h"

#include <optional>
#include <set>
#include <string>

namespace onggi::image {

struct DiffOptions {
  Compression compression = Compression::gzip;
  // The latest time of an entry, in seconds since 1970 (SOURCE_DATE_EPOCH).
  std::optional<int64_t> epoch = std::nullopt;
  // The overlay was mounted with userxattr: its marks are in user.overlay, not in trusted.overlay.
  bool user_xattrs = false;
  // `upper` is what a mount shows: attributes that are named like overlayfs's marks are the
  // image's.
  bool upper_is_mount = false;
  // `lower` is a layer's own directory, in which such attributes have escaped names.
  bool lower_is_layer = false;
  // Paths (clean_name()) at which a runtime has put something to mount on: what is empty there, and
  // not below, is not the container's, nor are the times of the directories around.
  std::set<std::string> mount_points = {};
};

struct LayerDiff {
  LayerBlob blob;
  uint64_t entries = 0;  // none: there is no change, and no layer is needed
};

// `upper` and `lower` are descriptors of directories open for reading, which are taken over: the
// upper directory itself, and what the layers below show together; an empty `lower`: there is none
// below. Nothing may change meanwhile. The blob is written to `to`, from where that stands. An
// error names the path: what a layer cannot say, or marks of overlayfs that cannot be read from
// here (redirect_dir, metacopy).
Result<LayerDiff> write_layer_diff(UniqueFd upper, UniqueFd lower, const DiffOptions& options,
                                   int to);

}  // namespace onggi::image
