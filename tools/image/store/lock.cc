// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/lock.h"

#include <sys/file.h>

namespace onggi::image {

namespace {

int operation(LockKind kind) {
  return kind == LockKind::shared ? LOCK_SH : LOCK_EX;
}

}  // namespace

Result<> lock(int fd, LockKind kind, std::string_view name) {
  const long locked = sys::retry(SYS_flock, fd, operation(kind));
  if (locked < 0) return system_error(locked, "flock", name);
  return {};
}

Result<bool> try_lock(int fd, LockKind kind, std::string_view name) {
  const long locked = sys::retry(SYS_flock, fd, operation(kind) | LOCK_NB);
  if (locked == -EWOULDBLOCK) return false;
  if (locked < 0) return system_error(locked, "flock", name);
  return true;
}

bool is_named(int directory, const std::string& name, int fd) {
  struct statx open = {}, named = {};
  return sys::statx(fd, "", AT_EMPTY_PATH, STATX_INO, &open) == 0 &&
         sys::statx(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_INO, &named) == 0 &&
         open.stx_ino == named.stx_ino;
}

Result<UniqueFd> open_locked_file(int directory, const std::string& name, LockKind kind) {
  for (;;) {
    const long opened = sys::openat(directory, name.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (opened < 0) return system_error(opened, "open", name);
    UniqueFd file(opened);
    TRY(lock(file.get(), kind, name));
    if (is_named(directory, name, file.get())) return file;
  }
}

}  // namespace onggi::image
