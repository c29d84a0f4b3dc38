// SPDX-License-Identifier: Apache-2.0
// Directories of an image's root filesystem, found without leaving it. Every step of a path is an
// openat(2) of one name with O_NOFOLLOW in a directory that is already open; links are read and
// followed here, with "/" and ".." clamped to the root. So neither a link nor a race leads out, and
// no path is too long.
//
// The root may be the mount of an overlay. A directory that is new in it has nothing of the layers
// below, and what is made in it can be made in the upper directory as well, at half the price. The
// kernel calls changes behind an overlay undefined (overlayfs.rst, "Changes to underlying
// filesystems"): what it may hold against them is a merged directory's listing, which a new one has
// not, and the memory that a name was not there. So nothing is made there any more once a name was
// looked up in vain.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace onggi::image {

struct Directory {
  std::string path;  // from the root, without links: "" or "usr/lib"
  UniqueFd fd;
  UniqueFd upper = {};  // the same without the overlay, where it is new
};
using DirectoryRef = std::shared_ptr<const Directory>;  // empty: there is none

class Rootfs {
 public:
  // Makes what is missing on the way of what is about to be made.
  class Maker {
   public:
    virtual ~Maker() = default;
    // The way led through this link, perhaps not for the first time.
    virtual void note_followed(const std::string& link, std::string_view target) = 0;
    // `replace`: there is something of another type. Afterwards `name` is a directory.
    virtual Result<> make_directory(const Directory& parent, const std::string& name,
                                    bool replace) = 0;
  };

  class LinkFilter {
   public:
    virtual ~LinkFilter() = default;
    // `link`: its path, without other links.
    virtual bool follows(const std::string& link) = 0;
  };

  // Takes a descriptor of the root over, and where that is an overlay's one of the upper directory.
  explicit Rootfs(UniqueFd root, UniqueFd upper = {});

  const DirectoryRef& root() const { return root_; }
  // `path` is clean (clean_name()). Without a maker what is missing gives an empty reference.
  Result<DirectoryRef> directory(std::string_view path, Maker* maker);
  // Links that the filter does not let through lead nowhere.
  Result<DirectoryRef> find(std::string_view path, LinkFilter& filter);
  // Of what was just made: nothing was there before. True: the path is kept.
  bool note_new(const Directory& parent, const std::string& path);
  // For a new plain file: a descriptor of the same directory, without the overlay where possible.
  int cheapest(const Directory& directory) const;
  // The overlay was asked for a name that is not there.
  void note_absent(const Directory& directory);
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

  DirectoryRef cached(std::string_view path, bool with_links);
  Result<DirectoryRef> walk_to(std::string_view path, Maker* maker, LinkFilter* filter);
  void remember(const std::string& path, const DirectoryRef& directory);
  Result<> step(Walk& walk, const std::string& name, bool own);
  Result<> step_aside(Walk& walk, const std::string& name, bool own, long failure);
  UniqueFd open_upper(const Directory& parent, const std::string& name,
                      const std::string& path) const;

  DirectoryRef root_;
  UniqueFd upper_;
  std::unordered_set<std::string> new_;  // directories in merged ones
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
