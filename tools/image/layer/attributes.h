// SPDX-License-Identifier: Apache-2.0
// Owner, extended attributes, mode and times of what an entry of a layer makes, in this order: a
// change of the owner clears set-id bits and security.capability, an ordinary user cannot set an
// attribute of a file that is read-only, and everything changes times.
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

class Attributes {
 public:
  explicit Attributes(Notices& notices);

  // Ids that chown(2) can set, or an error. 4294967295 would mean "leave it": root.
  static Result<> check_owner(const TarEntry& entry);

  // Of an open file: everything.
  Result<> set_file(int fd, const TarEntry& entry);
  // Of an open directory: owner and extended attributes, which those of the entry replace. Mode and
  // times come at the layer's end.
  Result<> set_directory(int fd, const TarEntry& entry);
  // Of a link, device or FIFO.
  Result<> set_node(int directory, const std::string& name, const TarEntry& entry);

  bool privileged() const { return privileged_; }
  Notices& notices() { return notices_; }

 private:
  Result<> set_owner(int directory, const char* name, int flags, const TarEntry& entry);
  Result<> set_xattrs(int fd, const std::string& node, const TarEntry& entry);
  Result<> clear_xattrs(int fd);

  Notices& notices_;
  bool privileged_;
};

// The mtime, and the atime or in its place the mtime again.
Result<> set_times(int directory, const char* name, int flags, Timestamp mtime,
                   std::optional<Timestamp> atime = std::nullopt);

}  // namespace onggi::image
