// SPDX-License-Identifier: Apache-2.0
// Overlay mounts that are attached nowhere: they are a descriptor, and go with it.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <span>

namespace onggi::image {

struct OverlayLayers {
  std::span<const UniqueFd> lower;  // directories, the uppermost first; one at least
  // Directories of one filesystem, `work` is empty. Without them the mount is read-only, and there
  // are two lower ones at least.
  int upper = -1, work = -1;
  // No syncing at all: the content is on the disk only after a syncfs(2). Such an upper directory
  // cannot be mounted again before work/incompat/volatile is removed.
  bool is_volatile = true;
};

// How the lower directories are said to the kernel. The first that it knows is taken.
enum class LowerNotation : uint8_t {
  one_by_one,  // "lowerdir+", Linux 6.8: 500 of them
  joined,      // "lowerdir", of at most 255 bytes: some 60 of them
};

// As from fsmount(2), for move_mount(2), or for openat(2) of "." in it.
Result<UniqueFd> mount_overlay(const OverlayLayers& layers,
                               LowerNotation first = LowerNotation::one_by_one);

// Not the host's: root may be an ordinary user in it.
bool in_user_namespace();

}  // namespace onggi::image
