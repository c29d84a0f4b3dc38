// SPDX-License-Identifier: Apache-2.0
// tmpcopyup: a new tmpfs starts with what the image has at its place. Everything is opened by name
// below a descriptor and without following links: the tree is the image's, and its links may point
// anywhere.
#include "base/directory.h"
#include "base/text.h"
#include "linux/init/context.h"

#include <linux/stat.h>
#include <sys/stat.h>

namespace onggi {
namespace {

constexpr size_t kMaxDepth = 256;
constexpr size_t kChunk = 1 << 20;

// Directories that are being copied, and the way to them from the first: a list of its own, since
// the stack may be small. After an error init ends, and all descriptors with it.
struct Level {
  int from, to;
};
Level levels[kMaxDepth];

Result<> copy_file(int from, int to, const char* name, const struct statx& info) {
  // Not waiting for a FIFO that has taken the file's place.
  const long opened = sys::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (opened < 0) return system_error(opened, "open", name);
  const UniqueFd source(opened);
  const long created =
      sys::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, info.stx_mode & 07777);
  if (created < 0) return system_error(created, "create", name);
  const UniqueFd copy(created);
  for (;;) {
    const long count = sys::retry(SYS_sendfile, copy.get(), source.get(), nullptr, kChunk);
    if (count < 0) return system_error(count, "sendfile", name);
    if (count == 0) return {};
  }
}

Result<> copy_link(int from, int to, const char* name) {
  char target[4096];
  const long size = sys::readlinkat(from, name, target, sizeof target - 1);
  if (size < 0) return system_error(size, "readlink", name);
  target[size] = 0;
  const long made = sys::symlinkat(target, to, name);
  if (made < 0) return system_error(made, "symlink", name);
  return {};
}

// Its contents come when it is opened.
Result<> make_directory(int to, const char* name, const struct statx& info) {
  const long made = sys::mkdirat(to, name, info.stx_mode & 07777);
  if (made < 0) return system_error(made, "mkdir", name);
  return {};
}

// Is it a directory, whose contents come next?
Result<bool> copy_entry(int from, int to, const char* name) {
  struct statx info = {};
  const long result = sys::statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &info);
  if (result < 0) return system_error(result, "statx", name);
  if (S_ISDIR(info.stx_mode)) {
    TRY(make_directory(to, name, info));
  } else if (S_ISREG(info.stx_mode)) {
    TRY(copy_file(from, to, name, info));
  } else if (S_ISLNK(info.stx_mode)) {
    TRY(copy_link(from, to, name));
  } else {
    return false;  // sockets, FIFOs and devices have their use where they are
  }
  const long owned = sys::fchownat(to, name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
  // An owner that the user namespace does not map cannot be given.
  if (owned < 0 && owned != -EINVAL && owned != -EPERM) return system_error(owned, "chown", name);
  // chown(2) clears the set-id bits of a file; mkdir(2) takes none, but inherits that of the group.
  const bool has_set_id = (info.stx_mode & (S_ISUID | S_ISGID)) != 0;
  if (!S_ISDIR(info.stx_mode) && (!S_ISREG(info.stx_mode) || !has_set_id)) return false;
  const long restored = sys::call(SYS_fchmodat, to, name, info.stx_mode & 07777);
  if (restored < 0) return system_error(restored, "chmod", name);
  return S_ISDIR(info.stx_mode);
}

Result<Level> open_level(const Level& above, const char* name) {
  const long opened = sys::openat(above.from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", name);
  UniqueFd from(opened);
  const long created = sys::openat(above.to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (created < 0) return system_error(created, "open", name);
  return Level{from.release(), static_cast<int>(created)};
}

// Up to the next directory, which is copied first: what comes behind it in the list of names is
// read again afterwards, from there. False: the list is at its end.
Result<bool> copy_names(const Level& level, Level& next) {
  DirectoryReader reader(level.from);
  while (const DirectoryReader::Entry* entry = TRY(reader.next())) {
    if (!TRY(copy_entry(level.from, level.to, entry->name()))) continue;
    next = TRY(open_level(level, entry->name()));
    const long behind = sys::lseek(level.from, entry->offset, SEEK_SET);
    if (behind < 0) return system_error(behind, "lseek", entry->name());
    return true;
  }
  return false;
}

Result<> copy_tree(Level first) {
  levels[0] = first;
  for (size_t depth = 1; depth > 0;) {
    Level next = {};
    if (!TRY(copy_names(levels[depth - 1], next))) {
      const Level& done = levels[--depth];
      (void)sys::close(done.from);
      (void)sys::close(done.to);
      continue;
    }
    if (depth == kMaxDepth)
      return make_error(ErrorKind::unsupported, "more than ", kMaxDepth, " nested directories");
    levels[depth++] = next;
  }
  return {};
}

}  // namespace

Result<> copy_up(int covered, int mount) {
  const long opened = sys::openat(covered, ".", O_RDONLY | O_DIRECTORY);
  if (opened < 0) return system_error(opened, "open", "the covered directory");
  UniqueFd source(opened);
  const long copied = sys::fcntl(mount, F_DUPFD_CLOEXEC, 3);
  if (copied < 0) return system_error(copied, "fcntl F_DUPFD_CLOEXEC");
  return copy_tree({source.release(), static_cast<int>(copied)});
}

}  // namespace onggi
