// SPDX-License-Identifier: Apache-2.0
// Directories of an image's root filesystem, found without leaving it. Every step of a path is an
// openat(2) of one name with O_NOFOLLOW in a directory that is already open; links are read and
// followed here, with "/" and ".." clamped to the root. So neither a link nor a race leads out, and
// no path is too long.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace onggi::image {

struct Directory {
  std::string path;  // from the root, without links: "" or "usr/lib"
  UniqueFd fd;
};
using DirectoryRef = std::shared_ptr<const Directory>;  // empty: there is none

class Rootfs {
 public:
  // Makes what is missing on the way.
  class Maker {
   public:
    virtual ~Maker() = default;
    // `replace`: there is something of another type. Afterwards `name` is a directory.
    virtual Result<> make_directory(const Directory& parent, const std::string& name,
                                    bool replace) = 0;
  };

  // Takes a descriptor of the root over.
  explicit Rootfs(UniqueFd root);

  const DirectoryRef& root() const { return root_; }
  // `path` is clean (clean_name()). Without a maker what is missing gives an empty reference.
  Result<DirectoryRef> directory(std::string_view path, Maker* maker);
  // A directory or a link has gone: what was found by it may be wrong.
  void forget() { cache_.clear(); }
  // The modes of directories that had to be changed to enter them.
  std::map<std::string, uint32_t> take_old_modes() { return std::exchange(old_modes_, {}); }

 private:
  struct Walk;
  struct Cached {
    DirectoryRef directory;
    uint64_t last_use;
  };

  DirectoryRef cached(std::string_view path);
  void remember(const std::string& path, const DirectoryRef& directory);
  Result<> step(Walk& walk, const std::string& name, bool own);
  Result<> step_aside(Walk& walk, const std::string& name, bool own, long failure);

  DirectoryRef root_;
  std::unordered_map<std::string, Cached> cache_;
  std::map<std::string, uint32_t> old_modes_;
  uint64_t uses_ = 0;
};

// "usr/lib" of "/usr//./lib/" and of "../usr/lib": as if the root were "/". Empty: the root itself.
std::string clean_name(std::string_view name);
// "usr" and "lib" of "usr/lib".
std::pair<std::string, std::string> split_name(const std::string& clean);
std::string child_path(const std::string& directory, std::string_view name);

// Opens a directory by one name, never through a link. As an ordinary user also one that its owner,
// this user, may not enter: its mode is changed for that, and `old_mode` tells what it was.
Result<UniqueFd> enter_directory(int parent, const std::string& name,
                                 std::optional<uint32_t>* old_mode = nullptr);

}  // namespace onggi::image
