// SPDX-License-Identifier: Apache-2.0
// A file of a tree as an entry of a layer would have it, and what overlayfs has marked it with
// (overlayfs.rst: whiteouts and opaque directories, redirect_dir, metadata only copy up).
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "layer/tar.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace onggi::image {

struct Inode {
  uint32_t major = 0, minor = 0;
  uint64_t number = 0;
  auto operator<=>(const Inode&) const = default;
};

class DiskEntry {
 public:
  // By one name, which is not followed. `marks`: how the names of overlayfs's own attributes
  // begin, where the tree is a layer of an overlay; escaped ones become what the mount shows.
  static Result<DiskEntry> open(int directory, const std::string& name, std::string_view marks);
  static Result<std::optional<DiskEntry>> find(int directory, const std::string& name,
                                               std::string_view marks);

  // Without a name; mtime with its nanoseconds.
  const TarEntry& tar_entry() const { return entry_; }
  EntryType type() const { return entry_.type; }
  bool is_socket() const { return socket_; }
  unsigned links() const { return links_; }
  Inode inode() const { return inode_; }

  // Device 0:0, or, in a directory that has such, an empty file with a mark.
  bool is_whiteout(bool by_xattr) const;
  bool is_opaque() const;
  bool has_xattr_whiteouts() const;
  // An error: the content or the children are somewhere else.
  Result<> check_readable() const;

  // Everything but the content of a file and the children of a directory.
  bool same_attributes(const DiskEntry& other) const;
  bool same_but_time(const DiskEntry& other) const;
  Result<bool> same_content(const DiskEntry& other) const;
  // Of a regular file, for reading.
  Result<UniqueFd> open_content() const;

 private:
  Result<> read_status();
  Result<> read_xattrs(std::string_view marks);
  Result<> read_link();
  bool has_mark(const std::string& name) const { return marks_.contains(name); }

  UniqueFd fd_;
  TarEntry entry_;
  std::map<std::string, std::string> marks_;
  Inode inode_;
  unsigned links_ = 0;
  bool socket_ = false;
};

}  // namespace onggi::image
