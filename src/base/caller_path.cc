// SPDX-License-Identifier: Apache-2.0
// One openat2(2) where the path has no links; else component by component.
#include "base/caller_path.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <climits>

namespace onggi {
namespace {

constexpr unsigned kWritableByOthers = 022;
constexpr uint32_t kOverflowUid = 65534;

Result<struct statx> look(int fd, const std::string& path) {
  struct statx info = {};
  const long result = sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_UID, &info);
  if (result < 0) return system_error(result, "statx", path);
  return info;
}

bool is_trusted(uint32_t uid) {
  return uid == 0 || uid == static_cast<uint32_t>(sys::call(SYS_geteuid));
}

class Walk {
 public:
  Walk(const std::string& path, int flags, unsigned mode)
      : path_(path), rest_(path), flags_(flags), mode_(mode) {}

  Result<UniqueFd> run() {
    constexpr int kMostLinks = 40;  // as the kernel's (path_resolution(7))
    int links = 0;
    for (;;) {
      const std::string name = TRY(take_component());
      const bool last = rest_.empty();
      UniqueFd opened(open_here(name, last));
      if (opened && last) return opened;
      if (opened) {
        directory_ = std::move(opened);
        continue;
      }
      const long failed = opened.get();
      if (failed != -ELOOP && failed != -ENOTDIR) return system_error(failed, "open", path_);
      if (++links > kMostLinks) return system_error(-ELOOP, "open", path_);
      if (UniqueFd target = TRY(follow(name, last)); target && last) {
        return target;
      } else if (target) {
        directory_ = std::move(target);
      }
    }
  }

 private:
  int here() const { return directory_ ? directory_.get() : AT_FDCWD; }

  // The first component of the rest, and "." where there is none. An absolute rest begins at "/".
  Result<std::string> take_component() {
    if (rest_.starts_with('/')) {
      const long root = sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
      if (root < 0) return system_error(root, "open", "/");
      directory_ = UniqueFd(root);
      strip_slashes();
    }
    const size_t end = std::min(rest_.find('/'), rest_.size());
    std::string name = end == 0 ? "." : rest_.substr(0, end);
    rest_.erase(0, end);
    strip_slashes();
    return name;
  }

  void strip_slashes() { rest_.erase(0, std::min(rest_.find_first_not_of('/'), rest_.size())); }

  long open_here(const std::string& name, bool last) const {
    return last ? sys::openat(here(), name.c_str(), flags_ | O_NOFOLLOW, mode_)
                : sys::openat(here(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW);
  }

  // What a link of procfs leads to; otherwise nothing, and the rest of the path begins with the
  // link's target.
  Result<UniqueFd> follow(const std::string& name, bool last) {
    const long opened = sys::openat(here(), name.c_str(), O_PATH | O_NOFOLLOW);
    if (opened < 0) return system_error(opened, "open", path_);
    const UniqueFd link(opened);
    const struct statx info = TRY(look(link.get(), path_));
    if ((info.stx_mode & S_IFMT) != S_IFLNK) return system_error(-ENOTDIR, "open", path_);
    struct statfs filesystem = {};
    const long result = sys::fstatfs(link.get(), &filesystem);
    if (result < 0) return system_error(result, "statfs", path_);
    if (filesystem.f_type == PROC_SUPER_MAGIC) {
      const long target =
          sys::openat(here(), name.c_str(), last ? flags_ : O_PATH | O_DIRECTORY, mode_);
      if (target < 0) return system_error(target, "open", path_);
      return UniqueFd(target);
    }
    if (!is_trusted(info.stx_uid) && !TRY(is_of_host(info.stx_uid))) {
      return with_hint(make_error(ErrorKind::system, "open '", path_, "': '", name,
                                  "' is a symbolic link of uid ", info.stx_uid),
                       "links of other users are not followed: name the file that it leads to");
    }
    char target[PATH_MAX];
    const long size = sys::call(SYS_readlinkat, link.get(), "", &target[0], sizeof target);
    if (size < 0) return system_error(size, "readlink", path_);
    rest_ = std::string(target, static_cast<size_t>(size)) + (last ? "" : "/" + rest_);
    return UniqueFd();
  }

  // In a user namespace the host's root is nobody we know, but its links are in directories that
  // only it can write.
  Result<bool> is_of_host(uint32_t uid) const {
    if (uid != kOverflowUid || !directory_) return false;
    const struct statx parent = TRY(look(directory_.get(), path_));
    return parent.stx_uid == uid && (parent.stx_mode & kWritableByOthers) == 0;
  }

  const std::string& path_;
  std::string rest_;
  const int flags_;
  const unsigned mode_;
  UniqueFd directory_;
};

Result<UniqueFd> open_callers(const std::string& path, int flags, unsigned mode) {
  const long opened =
      sys::openat2(AT_FDCWD, path.c_str(), static_cast<uint64_t>(flags), RESOLVE_NO_SYMLINKS, mode);
  if (opened >= 0) return UniqueFd(opened);
  if (opened != -ELOOP) return system_error(opened, "open", path);
  return Walk(path, flags, mode).run();
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Result<> check_owner(const struct statx& info, const std::string& path) {
  const UniqueFd parent = TRY(open_callers(parent_of(path), O_PATH | O_DIRECTORY, 0));
  const struct statx directory = TRY(look(parent.get(), path));
  const bool shared =
      (directory.stx_mode & S_ISVTX) != 0 && (directory.stx_mode & kWritableByOthers) != 0;
  if (!shared || directory.stx_uid == info.stx_uid) return {};
  return with_hint(make_error(ErrorKind::system, "open '", path, "': it belongs to uid ",
                              info.stx_uid, ", in a directory that others can write"),
                   "choose another file, or remove it");
}

}  // namespace

Result<UniqueFd> open_callers_log(const std::string& path) {
  // O_NONBLOCK: the open of a FIFO would wait for a reader.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK;
  UniqueFd file = TRY(open_callers(path, kFlags, 0600));
  const struct statx info = TRY(look(file.get(), path));
  const unsigned type = info.stx_mode & S_IFMT;
  if ((type == S_IFREG || type == S_IFIFO) && !is_trusted(info.stx_uid))
    TRY(check_owner(info, path));
  return file;
}

Result<CallersFile> open_callers_directory(const std::string& path) {
  const std::string parent = parent_of(path);
  UniqueFd directory = TRY(open_callers(parent, O_RDONLY | O_DIRECTORY, 0));
  return CallersFile{std::move(directory), path.substr(path.rfind('/') + 1)};
}

Result<> check_replaceable(const CallersFile& file, const std::string& path) {
  struct statx info = {};
  const long found =
      sys::statx(file.directory.get(), file.name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
  const unsigned type = info.stx_mode & S_IFMT;
  if (found == -ENOENT || (found == 0 && (type == S_IFREG || type == S_IFLNK))) return {};
  if (found < 0) return system_error(found, "statx", path);
  return make_error(ErrorKind::system, "'", path, "' is not a regular file");
}

}  // namespace onggi
