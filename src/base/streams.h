// SPDX-License-Identifier: Apache-2.0
// Standard streams that the container's program may open again: /dev/stderr and the like are files
// of their owner. Used by onggi-init, and for a user namespace by the runtime, because a file whose
// owner has no id there can be given away from outside only.
#pragma once

#include "base/fd.h"

#include <sys/stat.h>

namespace onggi {

constexpr int kStandardStreams = 3;

// Never a device, a terminal of the host or a directory: they are others' too. Of regular files
// only those that the container may change anyway: one that is open for reading must not become
// writable by its new owner. `own_terminal`: the streams are a terminal of the container's devpts.
inline bool may_own_stream(int fd, unsigned mode, bool own_terminal) {
  if (S_ISFIFO(mode) || S_ISSOCK(mode)) return true;
  if (S_ISCHR(mode)) return own_terminal;
  return S_ISREG(mode) && (sys::fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

// Gives them to `uid`, as the caller counts ids. What cannot be given away stays as it is: another
// user's file, a read-only filesystem.
inline void own_standard_streams(uint32_t uid, bool own_terminal) {
  for (int fd = 0; fd < kStandardStreams; fd++) {
    struct statx info = {};
    if (sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_UID, &info) < 0 || info.stx_uid == uid)
      continue;
    if (!may_own_stream(fd, info.stx_mode, own_terminal)) continue;
    (void)sys::fchownat(fd, "", uid, ~uint32_t{0}, AT_EMPTY_PATH);
  }
}

}  // namespace onggi
