// SPDX-License-Identifier: Apache-2.0
// See the header. The directories used last stay open: an image's entries come in the order of its
// tree.
#include "layer/rootfs.h"

#include "base/path.h"
#include "base/split.h"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <vector>

namespace onggi::image {
namespace {

constexpr int kLinksFollowed = 40;  // path_resolution(7)
constexpr size_t kOpenDirectories = 64;
constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

struct Component {
  std::string name;
  bool own;  // of the path asked for, not of a link on the way
};

// In the order in which pop_back() gives them.
void push_components(std::vector<Component>& todo, std::string_view path, bool own) {
  const size_t first = todo.size();
  for (std::string_view name : split(path, '/')) todo.push_back({std::string(name), own});
  std::reverse(todo.begin() + static_cast<std::ptrdiff_t>(first), todo.end());
}

}  // namespace

struct Rootfs::Walk {
  DirectoryRef at;
  std::vector<Component> todo;
  Maker* maker;
  LinkFilter* filter;
  int links = 0;
};

std::string clean_name(std::string_view name) {
  return clean_path(std::string("/").append(name)).substr(1);
}

std::pair<std::string, std::string> split_name(const std::string& clean) {
  const size_t slash = clean.rfind('/');
  if (slash == std::string::npos) return {"", clean};
  return {clean.substr(0, slash), clean.substr(slash + 1)};
}

std::string child_path(const std::string& directory, std::string_view name) {
  return directory.empty() ? std::string(name) : (directory + "/").append(name);
}

Result<UniqueFd> enter_directory(int parent, const std::string& name,
                                 std::optional<uint32_t>* old_mode) {
  static const bool privileged = sys::call(SYS_geteuid) == 0;
  long fd = sys::openat(parent, name.c_str(), kFlags);
  struct statx info = {};
  const bool may_stat = fd == -EACCES || (fd >= 0 && !privileged);
  if (may_stat &&
      sys::statx(parent, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_MODE | STATX_TYPE, &info) == 0 &&
      S_ISDIR(info.stx_mode) && (info.stx_mode & 0700) != 0700) {
    const long changed =
        sys::call(SYS_fchmodat, parent, name.c_str(), (info.stx_mode & 07777) | 0700);
    if (changed < 0) return system_error(changed, "chmod", name);
    if (old_mode != nullptr) *old_mode = info.stx_mode & 07777;
    if (fd < 0) fd = sys::openat(parent, name.c_str(), kFlags);
  }
  if (fd < 0) return system_error(fd, "open", name);
  return UniqueFd(fd);
}

Rootfs::Rootfs(UniqueFd root, UniqueFd upper)
    : root_(std::make_shared<Directory>(Directory{"", std::move(root)})),
      upper_(std::move(upper)) {}

bool Rootfs::note_new(const Directory& parent, const std::string& path) {
  return upper_ && !parent.upper && new_.insert(path).second;
}

int Rootfs::cheapest(const Directory& directory) const {
  return upper_ && directory.upper ? directory.upper.get() : directory.fd.get();
}

void Rootfs::note_absent(const Directory& directory) {
  if (directory.upper) upper_.reset();
}

// Without one everything goes through the overlay, as it may.
UniqueFd Rootfs::open_upper(const Directory& parent, const std::string& name,
                            const std::string& path) const {
  if (upper_ && parent.upper)
    return UniqueFd(sys::openat(parent.upper.get(), name.c_str(), kFlags));
  if (!upper_ || !new_.contains(path)) return {};
  return UniqueFd(sys::openat2(upper_.get(), path.c_str(), kFlags | O_CLOEXEC,
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
}

// Without links only what has this very path: nobody can say no to a link that was followed before.
DirectoryRef Rootfs::cached(std::string_view path, bool with_links) {
  if (path.empty()) return root_;
  const auto found = cache_.find(std::string(path));
  if (found == cache_.end() || (!with_links && found->second.directory->path != path))
    return nullptr;
  found->second.last_use = ++uses_;
  return found->second.directory;
}

void Rootfs::remember(const std::string& path, const DirectoryRef& directory) {
  if (path.empty()) return;
  if (cache_.size() >= kOpenDirectories) {
    cache_.erase(std::ranges::min_element(cache_, {},
                                          [](const auto& entry) { return entry.second.last_use; }));
  }
  cache_.insert_or_assign(path, Cached{directory, ++uses_});
}

Result<> Rootfs::step(Walk& walk, const std::string& name, bool own) {
  if (name == ".") return {};
  if (name == "..") {
    // Never the kernel's "..": the directory could have been moved out of the root.
    walk.at = TRY(directory(split_name(walk.at->path).first, nullptr));
    if (walk.at == nullptr) return state_error("another process is changing the directory tree");
    return {};
  }
  std::optional<uint32_t> old_mode;
  Result<UniqueFd> opened = enter_directory(walk.at->fd.get(), name, &old_mode);
  if (!opened) return step_aside(walk, name, own, -opened.error().errnum);
  std::string path = child_path(walk.at->path, name);
  UniqueFd upper = open_upper(*walk.at, name, path);
  walk.at = std::make_shared<Directory>(
      Directory{std::move(path), std::move(opened).value(), std::move(upper)});
  if (old_mode) old_modes_.emplace(walk.at->path, *old_mode);
  remember(walk.at->path, walk.at);
  return {};
}

// `name` is no directory: a link to be followed, something in the way, or nothing.
Result<> Rootfs::step_aside(Walk& walk, const std::string& name, bool own, long failure) {
  char target[PATH_MAX];
  const long size = sys::readlinkat(walk.at->fd.get(), name.c_str(), target, sizeof target);
  if (size > 0) {
    if (++walk.links > kLinksFollowed) return system_error(-ELOOP, "open", name);
    const std::string_view text(target, static_cast<size_t>(size));
    const std::string link = child_path(walk.at->path, name);
    if (walk.maker != nullptr) walk.maker->note_followed(link, text);
    if (walk.filter != nullptr && !walk.filter->follows(link)) {
      walk.at = nullptr;
      return {};
    }
    if (text.starts_with('/')) walk.at = root_;
    push_components(walk.todo, text, false);
    return {};
  }
  const bool absent = failure == -ENOENT, in_the_way = failure == -ENOTDIR || failure == -ELOOP;
  if (!absent && !in_the_way) return system_error(failure, "open", name);
  // What a link leads to is not the entry's own path: nothing is replaced there.
  if (walk.maker == nullptr || (in_the_way && !own)) {
    if (walk.maker != nullptr) return system_error(failure, "open", name);
    note_absent(*walk.at);
    walk.at = nullptr;
    return {};
  }
  TRY(walk.maker->make_directory(*walk.at, name, in_the_way));
  walk.todo.push_back({name, own});
  return {};
}

Result<DirectoryRef> Rootfs::directory(std::string_view path, Maker* maker) {
  return walk_to(path, maker, nullptr);
}

Result<DirectoryRef> Rootfs::find(std::string_view path, LinkFilter& filter) {
  return walk_to(path, nullptr, &filter);
}

Result<DirectoryRef> Rootfs::walk_to(std::string_view path, Maker* maker, LinkFilter* filter) {
  size_t known = path.size();
  const bool with_links = maker != nullptr;
  DirectoryRef start = cached(path, with_links);
  while (start == nullptr) {
    const size_t slash = path.rfind('/', known - 1);
    known = slash == std::string_view::npos ? 0 : slash;
    start = cached(path.substr(0, known), with_links);
  }
  Walk walk{std::move(start), {}, maker, filter};
  push_components(walk.todo, path.substr(known), true);
  while (!walk.todo.empty() && walk.at != nullptr) {
    const Component next = std::move(walk.todo.back());
    walk.todo.pop_back();
    TRY(step(walk, next.name, next.own));
  }
  // The maker has seen all links on the way.
  if (with_links && walk.at != nullptr && walk.at->path != path)
    remember(std::string(path), walk.at);
  return std::move(walk.at);
}

}  // namespace onggi::image
