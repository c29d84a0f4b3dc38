// SPDX-License-Identifier: Apache-2.0
// The walk that makes missing components keeps the part already walked as text that holds no
// symbolic link, and looks up each next component from the root again, scoped: whatever races with
// it, the kernel keeps it inside.
#include "linux/init/rootfs.h"

#include "base/text.h"

#include <linux/stat.h>
#include <sys/stat.h>

#include <algorithm>
#include <string_view>

namespace onggi {
namespace {

constexpr uint64_t kScope = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
constexpr int kMaxLinks = 40;  // as the kernel's own limit (path_resolution(7))
constexpr size_t kPathMax = 4096;
using Path = FixedText<kPathMax>;

std::string_view parent_of(const char* path) {
  const size_t slash = std::string_view(path).rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string_view(path, slash);
}

// Never what a symbolic link names.
long make_leaf(int directory, const char* name, RootDir::Leaf leaf) {
  if (leaf == RootDir::Leaf::directory) return sys::mkdirat(directory, name, 0755);
  if (leaf == RootDir::Leaf::shared_directory) return sys::mkdirat(directory, name, 01777);
  const long file = sys::openat(directory, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0644);
  return file < 0 ? file : sys::close(static_cast<int>(file));
}

struct Walk {
  int root;
  Path walked;  // exists, without links, without a leading slash
  Path rest;    // still to be walked
  int links = 0;

  std::string_view next() {
    const std::string_view text = rest.view();
    const size_t start = std::min(text.find_first_not_of('/'), text.size());
    const size_t end = std::min(text.find('/', start), text.size());
    const Path component(text.substr(start, end - start));
    const Path remaining(text.substr(end));
    current = component;
    rest = remaining;
    return current.view();
  }
  bool last() const { return rest.view().find_first_not_of('/') == std::string_view::npos; }
  Path current;

  void leave() {
    const std::string_view text = walked.view();
    const size_t slash = text.rfind('/');
    walked = Path(slash == std::string_view::npos ? std::string_view() : text.substr(0, slash));
  }
  Path below() const {
    Path path = walked;
    if (!path.empty()) path.append('/');
    path.append(current.view());
    return path;
  }
  Result<> follow(int link);
  // Whether it was not there before.
  Result<bool> create(RootDir::Leaf leaf) const;
};

Result<> Walk::follow(int link) {
  char target[kPathMax];
  const long size = sys::readlinkat(link, "", target, sizeof target);
  if (size < 0) return system_error(size, "readlink", below().view());
  if (++links > kMaxLinks || static_cast<size_t>(size) + rest.view().size() + 2 > kPathMax) {
    return system_error(-ELOOP, "open", below().view());
  }
  Path path(std::string_view(target, static_cast<size_t>(size)));
  if (target[0] == '/') walked.clear();
  path.append('/', rest.view());
  rest = path;
  return {};
}

Result<bool> Walk::create(RootDir::Leaf leaf) const {
  const long opened = walked.empty()
                          ? sys::openat(root, ".", O_PATH | O_DIRECTORY)
                          : sys::openat2(root, walked.c_str(), O_PATH | O_DIRECTORY, kScope);
  if (opened < 0) return system_error(opened, "open", walked.view());
  const UniqueFd parent(opened);
  const bool file = leaf == RootDir::Leaf::file && last();
  const long made =
      make_leaf(parent.get(), current.c_str(), file ? leaf : RootDir::Leaf::directory);
  if (made < 0 && made != -EEXIST)
    return system_error(made, file ? "create" : "mkdir", below().view());
  return made >= 0;
}

}  // namespace

unsigned mode_of(int fd) {
  struct statx info = {};
  return sys::statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE, &info) == 0 ? info.stx_mode : 0;
}

long RootDir::open(const char* path, uint64_t flags, uint64_t resolve) const {
  return sys::openat2(fd(), path, flags, kScope | resolve);
}

long RootDir::make_last(const char* path, Leaf leaf, bool& made) const {
  const std::string_view text(path);
  const size_t start = text.rfind('/') + 1;  // 0 without a slash
  const Walk walk{.root = fd(),
                  .walked = Path(text.substr(0, start > 0 ? start - 1 : 0)),
                  .rest = {},
                  .links = 0,
                  .current = Path(text.substr(start))};
  // What exists nevertheless is a dangling link, a matter for the walk.
  const Result<bool> created = walk.create(leaf);
  made = created && created.value();
  return created ? open(path) : -ENOENT;
}

Result<UniqueFd> RootDir::make(const char* path, Leaf leaf, bool& made) const {
  made = false;
  const long found = open(path);
  if (found >= 0) return UniqueFd(found);
  if (found != -ENOENT) return system_error(found, "open", path);
  if (strlen(path) + 1 >= kPathMax) return system_error(-ENAMETOOLONG, "open", path);
  // Mostly the last component alone is missing, which takes four calls rather than four for each.
  if (const long last = make_last(path, leaf, made); last >= 0) return UniqueFd(last);

  Walk walk{.root = fd(), .walked = {}, .rest = Path(path), .links = 0, .current = {}};
  while (!walk.last()) {
    const std::string_view component = walk.next();
    if (component == ".") continue;
    if (component == "..") {
      walk.leave();
      continue;
    }
    const Path below = walk.below();
    long opened = sys::openat2(fd(), below.c_str(), O_PATH | O_NOFOLLOW, kScope);
    if (opened == -ENOENT) {
      made = TRY(walk.create(leaf)) && walk.last();
      opened = sys::openat2(fd(), below.c_str(), O_PATH | O_NOFOLLOW, kScope);
    }
    if (opened < 0) return system_error(opened, "open", below.view());
    const UniqueFd entry(opened);
    if (S_ISLNK(mode_of(entry.get()))) {
      TRY(walk.follow(entry.get()));
    } else {
      walk.walked = below;
    }
  }
  const long opened =
      walk.walked.empty() ? sys::openat(fd(), ".", O_PATH) : open(walk.walked.c_str());
  if (opened < 0) return system_error(opened, "open", path);
  return UniqueFd(opened);
}

Result<RootDir::Entry> RootDir::make_parent(const char* path) {
  const std::string_view parent = parent_of(path);
  if (!parent_is_open(parent)) {
    parent_ = TRY(make(Path(parent).c_str(), Leaf::directory));
    // Too long to be compared: never equal, as no path is empty.
    parent_path_ = FixedText<64>(parent.size() < 64 ? parent : std::string_view());
  }
  return Entry{parent_.get(), path + std::string_view(path).rfind('/') + 1};
}

Result<MountPoint> RootDir::make_mount_point(const char* path, Leaf leaf) {
  if (!parent_is_open(parent_of(path))) {
    const long found = open(path);
    if (found >= 0) return MountPoint{.existing = UniqueFd(found)};
    if (found != -ENOENT) return system_error(found, "open", path);
  }
  const Entry entry = TRY(make_parent(path));
  if (leaf == Leaf::shared_directory && !in_own_mount(entry.directory)) leaf = Leaf::directory;
  if (make_leaf(entry.directory, entry.name, leaf) == 0) {
    return MountPoint{
        .existing = {}, .directory = entry.directory, .name = entry.name, .made = true};
  }
  // Where a dangling link leads may be in another mount.
  if (leaf == Leaf::shared_directory) leaf = Leaf::directory;
  MountPoint point;
  point.existing = TRY(make(path, leaf, point.made));
  return point;
}

bool RootDir::in_own_mount(int directory) const {
  struct statx here = {}, root = {};
  return sys::statx(directory, "", AT_EMPTY_PATH, STATX_MNT_ID, &here) == 0 &&
         sys::statx(fd(), "", AT_EMPTY_PATH, STATX_MNT_ID, &root) == 0 &&
         here.stx_mnt_id == root.stx_mnt_id;
}

}  // namespace onggi
