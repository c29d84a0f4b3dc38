// SPDX-License-Identifier: Apache-2.0
// The way back up is "..", with a look at the inode number: if somebody moves the tree meanwhile,
// nothing outside of it is touched.
#include "layer/remove_tree.h"

#include "base/directory.h"
#include "base/file.h"
#include "layer/rootfs.h"

#include <sys/stat.h>

#include <vector>

namespace onggi::image {
namespace {

struct Level {
  std::string name, path;
  uint64_t parent_inode = 0;
  std::vector<std::string> children;  // still to be looked at
  bool kept = false;
};

Result<uint64_t> inode_of(int fd) {
  struct statx info = {};
  const long result = sys::statx(fd, "", AT_EMPTY_PATH, STATX_INO, &info);
  if (result < 0) return system_error(result, "statx");
  return info.stx_ino;
}

Result<std::vector<std::string>> children_of(int fd) {
  std::vector<std::string> names;
  DirectoryReader reader(fd);
  for (;;) {
    const DirectoryReader::Entry* entry = TRY(reader.next());
    if (entry == nullptr) return names;
    names.emplace_back(entry->name());
  }
}

class Remover {
 public:
  Remover(int parent, KeptPaths* kept) : current_(parent), kept_(kept) {}

  Result<> remove(const std::string& name, const std::string& path) {
    TRY(look_at(name, path));
    while (!levels_.empty()) {
      Level& level = levels_.back();
      if (level.children.empty()) {
        TRY(leave());
        continue;
      }
      const std::string child = std::move(level.children.back());
      level.children.pop_back();
      // Only for who asks: all paths of a deep tree together are large.
      TRY(look_at(child, kept_ == nullptr ? child : child_path(level.path, child)));
    }
    return {};
  }

 private:
  Result<> look_at(const std::string& name, const std::string& path) {
    const bool kept = kept_ != nullptr && kept_->keeps(path);
    if (!kept) {
      const long removed = sys::unlinkat(current_, name.c_str(), 0);
      if (removed == 0 || removed == -ENOENT) return {};
      if (removed != -EISDIR && removed != -EPERM) return system_error(removed, "unlink", name);
    }
    struct statx info = {};
    const long found = sys::statx(current_, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info);
    if (found < 0) return system_error(found, "statx", name);
    if (S_ISDIR(info.stx_mode)) return enter(name, path, kept);
    if (kept) return {};
    return system_error(-EPERM, "unlink", name);
  }

  Result<> enter(const std::string& name, const std::string& path, bool kept) {
    Level level{name, path, TRY(inode_of(current_)), {}, kept};
    UniqueFd fd = TRY(enter_directory(current_, name));
    if (kept) TRY(kept_->enter_kept(fd.get(), path));
    level.children = TRY(children_of(fd.get()));
    levels_.push_back(std::move(level));
    hold(std::move(fd));
    return {};
  }

  Result<> leave() {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    const long opened = sys::openat(current_, "..", O_RDONLY | O_DIRECTORY);
    if (opened < 0) return system_error(opened, "open", "..");
    UniqueFd parent(opened);
    if (TRY(inode_of(parent.get())) != level.parent_inode)
      return state_error("'", level.path, "' was moved while it was removed");
    hold(std::move(parent));
    if (level.kept) return {};
    const long removed = sys::unlinkat(current_, level.name.c_str(), AT_REMOVEDIR);
    if (removed < 0) return system_error(removed, "rmdir", level.name);
    return {};
  }

  void hold(UniqueFd fd) {
    current_ = fd.get();
    held_ = std::move(fd);
  }

  int current_;
  UniqueFd held_;
  KeptPaths* kept_;
  std::vector<Level> levels_;
};

}  // namespace

Result<> remove_tree(int parent, const std::string& name, const std::string& path,
                     KeptPaths* kept) {
  return Remover(parent, kept).remove(name, path);
}

Result<> remove_children(int directory, const std::string& path, KeptPaths* kept) {
  // By a descriptor of its own: that of the caller may have been read to its end already.
  const UniqueFd fd = TRY(open_directory(directory, "."));
  const std::vector<std::string> children = TRY(children_of(fd.get()));
  for (const std::string& child : children)
    TRY(remove_tree(directory, child, child_path(path, child), kept));
  return {};
}

}  // namespace onggi::image
