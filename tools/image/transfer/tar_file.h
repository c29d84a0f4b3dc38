// SPDX-License-Identifier: Apache-2.0
// A tar file whose entries are found by name: those of image archives, which come in any order.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <cstdint>
#include <map>
#include <string>

namespace onggi::image {

class TarFile {
 public:
  // Where the bytes of an entry are in fd().
  struct Part {
    uint64_t offset = 0, size = 0;
  };

  // "-": standard input. What comes from a pipe or is compressed goes into a file without a name
  // first, in $TMPDIR or /var/tmp.
  static Result<TarFile> open(const std::string& path);

  int fd() const { return file_.get(); }
  bool has(const std::string& name) const { return entries_.contains(name); }
  // Links are followed, within the archive: nothing is ever looked up on this machine.
  Result<Part> find(const std::string& name) const;
  // What is larger than `limit` is refused unread.
  Result<std::string> read(const std::string& name, uint64_t limit) const;

 private:
  struct Entry {
    Part part;
    std::string link;  // the other entry's name, if this is a link
  };
  explicit TarFile(UniqueFd file) : file_(std::move(file)) {}
  Result<> list();

  UniqueFd file_;
  std::map<std::string, Entry> entries_;  // by clean names
};

// A file for a while, without a name.
Result<UniqueFd> open_spool();

}  // namespace onggi::image
