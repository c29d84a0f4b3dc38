// SPDX-License-Identifier: Apache-2.0
// mounts[].options in terms of the mount API (mount_setattr(2), fsconfig(2)). An option overrides
// what an earlier one said of the same thing: "ro,rw" is writable.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace onggi::spec {

struct MountOptions {
  struct Propagation {
    uint32_t type = 0;  // MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE
    bool recursive = false;
  };

  // MOUNT_ATTR_*. The access time setting is a field of several bits: whoever changes it must clear
  // all of MOUNT_ATTR__ATIME (mount_setattr(2)), so a bit may be in both.
  uint64_t attr_set = 0, attr_clear = 0;
  uint64_t recursive_set = 0, recursive_clear = 0;
  // An option names a flag of mount(2), to set or to clear it: then a bind mount does not keep
  // those of its source that none names. Recursive attributes and propagation are no such flags.
  bool names_flag = false;
  std::vector<Propagation> propagation;  // in order; a mount can be a slave and shared
  bool bind = false;                     // rbind sets it, too
  bool recursive_bind = false;
  bool remount = false, tmpcopyup = false, idmap = false, ridmap = false;

  // fsconfig(2) FSCONFIG_SET_FLAG on the superblock: sync, lazytime, async. "ro" is among them only
  // for a filesystem on a device or from a server, where it keeps the kernel from writing (a
  // journal replay, say). What the kernel makes itself (proc, tmpfs, cgroup2) is made read-only by
  // the mount's attribute alone: its superblock may be shared with the host, and a tmpfs must be
  // filled first; so is what is remounted, which may be a filesystem of the host. Empty for a bind,
  // which has no superblock of its own.
  TextList filesystem_flags;
  TextList data;  // "size=64k", "newinstance": for the filesystem, as written and in order

  bool readonly() const;
};

// `place` is that of the mount, "mounts[3]".
Result<MountOptions> parse_mount_options(const Mount& mount, std::string_view place);

// All options that are not passed to the filesystem, sorted.
std::span<const Text> known_mount_options();

}  // namespace onggi::spec
