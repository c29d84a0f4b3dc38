// SPDX-License-Identifier: Apache-2.0
// Owner, extended attributes, mode and times of what an entry of a layer makes, in this order: a
// change of the owner clears set-id bits and security.capability, an ordinary user cannot set an
// attribute of a file that is read-only, and everything changes times. What the kernel has already
// given a new file is not asked for again: system calls are what applying a layer costs.
#pragma once

#include "base/result.h"
#include "layer/tar.h"

#include <set>
#include <string>

namespace onggi::image {

// What cannot be done here is said once, not for each file.
class Notices {
 public:
  void once(std::string_view about, std::string_view message);

 private:
  std::set<std::string, std::less<>> said_;
};

// How a file came to be, which decides what is left to do.
struct Origin {
  bool existed = false;
  // The directory's set-group-ID bit or default ACL has left its mark on it.
  bool inherits = false;
  uint32_t mode = 0;  // as it was asked for
};

inline constexpr std::string_view kDefaultAcl = "system.posix_acl_default";

class Attributes {
 public:
  explicit Attributes(Notices& notices);

  // Ids that chown(2) can set, or an error. 4294967295 would mean "leave it": root.
  static Result<> check_owner(const TarEntry& entry);

  // To create a file with: set-id bits have to wait for the owner.
  uint32_t creation_mode(const TarEntry& entry) const;
  // Of an open file: everything.
  Result<> set_file(int fd, const TarEntry& entry, const Origin& origin);
  // Of an open directory: owner and extended attributes, which those of the entry replace. Mode and
  // times come at the layer's end.
  Result<> set_directory(int fd, const TarEntry& entry, const Origin& origin);
  // Of a link, device or FIFO.
  Result<> set_node(int directory, const std::string& name, const TarEntry& entry,
                    const Origin& origin);

  bool privileged() const { return privileged_; }
  Notices& notices() { return notices_; }

 private:
  Result<> set_owner(int directory, const char* name, int flags, const TarEntry& entry,
                     const Origin& origin);
  Result<> set_xattrs(int fd, bool path_only, const TarEntry& entry);
  Result<> set_mode_and_xattrs(int directory, const std::string& name, const TarEntry& entry,
                               const Origin& origin);

  Notices& notices_;
  bool privileged_;
  uint32_t own_group_;
  uint32_t umask_;
};

// A default ACL in the directory: what is made in it gets one as well.
bool has_default_acl(int directory);

// An overlay shows the root as its upper directory has it, which must therefore begin as the root
// of the layer below: all attributes but those by which overlayfs marks its own directories.
Result<> copy_directory_attributes(int from, int to);

// The mtime, and the atime or in its place the mtime again.
Result<> set_times(int directory, const char* name, int flags, Timestamp mtime,
                   std::optional<Timestamp> atime = std::nullopt);

}  // namespace onggi::image
