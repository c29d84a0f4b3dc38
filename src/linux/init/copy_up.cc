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

constexpr int kMaxDepth = 256;  // a frame holds a buffer of names
constexpr size_t kChunk = 1 << 20;

Result<> copy_directory(int from, int to, int depth);

Result<> copy_file(int from, int to, const char* name, const struct statx& info) {
  const long opened = sys::openat(from, name, O_RDONLY | O_NOFOLLOW);
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

Result<> copy_subdirectory(int from, int to, const char* name, const struct statx& info,
                           int depth) {
  const long made = sys::mkdirat(to, name, info.stx_mode & 07777);
  if (made < 0) return system_error(made, "mkdir", name);
  const long opened = sys::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", name);
  const UniqueFd source(opened);
  const long created = sys::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (created < 0) return system_error(created, "open", name);
  const UniqueFd copy(created);
  return copy_directory(source.get(), copy.get(), depth + 1);
}

Result<> copy_entry(int from, int to, const char* name, int depth) {
  struct statx info = {};
  const long result = sys::statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &info);
  if (result < 0) return system_error(result, "statx", name);
  if (S_ISDIR(info.stx_mode)) {
    TRY(copy_subdirectory(from, to, name, info, depth));
  } else if (S_ISREG(info.stx_mode)) {
    TRY(copy_file(from, to, name, info));
  } else if (S_ISLNK(info.stx_mode)) {
    TRY(copy_link(from, to, name));
  } else {
    return {};  // sockets, FIFOs and devices have their use where they are
  }
  const long owned = sys::fchownat(to, name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
  // An owner that the user namespace does not map cannot be given.
  if (owned < 0 && owned != -EINVAL && owned != -EPERM) return system_error(owned, "chown", name);
  // chown(2) clears the set-id bits of a file; mkdir(2) takes none, but inherits that of the group.
  const bool has_set_id = (info.stx_mode & (S_ISUID | S_ISGID)) != 0;
  if (!S_ISDIR(info.stx_mode) && (!S_ISREG(info.stx_mode) || !has_set_id)) return {};
  const long restored = sys::call(SYS_fchmodat, to, name, info.stx_mode & 07777);
  if (restored < 0) return system_error(restored, "chmod", name);
  return {};
}

Result<> copy_directory(int from, int to, int depth) {
  if (depth > kMaxDepth)
    return make_error(ErrorKind::unsupported, "more than ", kMaxDepth, " nested directories");
  DirectoryReader reader(from);
  while (const DirectoryReader::Entry* entry = TRY(reader.next())) {
    TRY(copy_entry(from, to, entry->name(), depth));
  }
  return {};
}

}  // namespace

Result<> copy_up(int covered, int mount) {
  const long opened = sys::openat(covered, ".", O_RDONLY | O_DIRECTORY);
  if (opened < 0) return system_error(opened, "open", "the covered directory");
  const UniqueFd source(opened);
  return copy_directory(source.get(), mount, 0);
}

}  // namespace onggi
