// SPDX-License-Identifier: Apache-2.0
// Reads tar as layers have it: V7, ustar, PAX, GNU long names and GNU's four sparse forms. Names
// are bytes. (libarchive brings names of PAX headers into Unicode's composed form: other files
// than the image has.) What a header announces is limited before memory is taken for it.
#pragma once

#include "layer/byte_source.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace onggi::image {

enum class EntryType : uint8_t {
  file,
  hardlink,
  symlink,
  char_device,
  block_device,
  directory,
  fifo,
};

struct Timestamp {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};

// A part of a file that is in the archive; what is between two parts is a hole.
struct Extent {
  uint64_t offset = 0, size = 0;
};

struct TarEntry {
  std::string name, link;  // as they stand, without NUL
  EntryType type = EntryType::file;
  uint32_t mode = 0;  // permission bits with set-id and sticky
  uint64_t uid = 0, gid = 0;
  uint64_t size = 0;            // of the file, with its holes
  std::vector<Extent> extents;  // in order; none is empty
  uint32_t device_major = 0, device_minor = 0;
  Timestamp mtime;
  std::optional<Timestamp> atime;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

class TarReader {
 public:
  explicit TarReader(ByteSource& source) : source_(source) {}

  // Skips what is left of the last entry's data. False: the end of the archive.
  Result<bool> next(TarEntry& to);
  // The next portion of the entry's data, extent after extent; empty after the last.
  Result<std::string_view> data();

 private:
  // What extended headers say about the next entry.
  struct Extended {
    std::optional<std::string> path, link, sparse_name;
    std::optional<uint64_t> size, uid, gid, real_size;
    std::optional<Timestamp> mtime, atime;
    std::vector<std::pair<std::string, std::string>> xattrs;
    std::vector<Extent> sparse;
    std::optional<uint64_t> sparse_offset;  // of form 0.0: its size is to come
    bool is_sparse = false, map_in_data = false;
  };
  using Block = char[512];

  Result<bool> read_block(Block& block);  // false: the source is at its end
  Result<> need_block(Block& block);
  Result<std::string> read_text(uint64_t size);
  Result<> skip_data();
  Result<bool> read_extension(const Block& block, char type);
  Result<> read_records(std::string_view text, Extended& to);
  Result<> read_record(std::string_view key, std::string_view value, Extended& to);
  Result<> read_entry(const Block& block, char type, TarEntry& to);
  Result<> read_old_sparse(const Block& block, TarEntry& to);
  Result<> read_sparse_map(TarEntry& to);
  Result<> check_extents(TarEntry& entry) const;

  ByteSource& source_;
  Extended global_, local_;
  uint64_t stored_ = 0, padding_ = 0;  // bytes of the entry's data that are still to come
};

}  // namespace onggi::image
