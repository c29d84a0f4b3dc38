// SPDX-License-Identifier: Apache-2.0
#include "linux/init/lookup.h"

#include "base/fd.h"
#include "linux/init/rootfs.h"

#include <sys/stat.h>

namespace onggi {

Seen look(const char* path, bool hidden) {
  const long opened = sys::openat(AT_FDCWD, path, O_PATH);
  if (opened < 0) return {opened, opened == -EACCES && hidden};
  const UniqueFd file(opened);
  const unsigned mode = mode_of(file.get());
  if (S_ISDIR(mode)) return {-EISDIR, false};
  if (!S_ISREG(mode) || (mode & 0111) == 0) return {-EACCES, false};
  return {0, true};
}

}  // namespace onggi
