// SPDX-License-Identifier: Apache-2.0
// The entries of an open directory, one after the other. Freestanding: onggi-init uses it too.
#pragma once

#include "base/result.h"
#include "base/syscalls.h"

#include <string_view>

namespace onggi {

// Reads in portions of 4 KiB: what changes meanwhile may be seen or not (readdir(3)).
class DirectoryReader {
 public:
  explicit DirectoryReader(int directory) : directory_(directory) {}

  struct Entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;  // DT_*
    char name_bytes[1];
    const char* name() const { return static_cast<const char*>(name_bytes); }
  };
  // But for "." and ".."; null at the end. Valid until the next call.
  Result<const Entry*> next() {
    for (;;) {
      if (at_ == size_) {
        size_ = sys::getdents64(directory_, buffer_, sizeof buffer_);
        at_ = 0;
        if (size_ < 0) return system_error(size_, "getdents64");
        if (size_ == 0) return static_cast<const Entry*>(nullptr);
      }
      const auto* entry = reinterpret_cast<const Entry*>(buffer_ + at_);
      at_ += entry->length;
      const std::string_view name = entry->name();
      if (name != "." && name != "..") return entry;
    }
  }

 private:
  int directory_;
  long at_ = 0, size_ = 0;
  alignas(8) char buffer_[4096];
};

}  // namespace onggi
