// SPDX-License-Identifier: Apache-2.0
// A user's home directory from passwd(5), read in parts of any size: the file is the image's, so a
// line may be of any length and the file of any content. No allocation: onggi-init uses it.
#pragma once

#include "base/text.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace onggi {

// NAME:PASSWORD:UID:GID:GECOS:HOME[:SHELL]. The first line with the uid counts; a line that begins
// with '#', '+' or '-' (NIS), or whose uid is not a number, is no user's. A '\r' at the end of a
// line is not part of it.
class HomeSearch {
 public:
  explicit HomeSearch(uint32_t uid) : uid_(uid) {}

  // The next part of the file. True: the user was found, and the rest need not be read.
  bool add(std::string_view part) {
    while (!part.empty() && !found_) {
      if (skipping_) {
        const size_t end = part.find('\n');
        if (end == part.npos) return false;
        part.remove_prefix(end);
      }
      add(part[0]);
      part.remove_prefix(1);
    }
    return found_;
  }
  // At the end of the file, whose last line may lack its newline. Empty: the user is not there, has
  // no home, or one that no path can name.
  std::string_view finish() {
    if (!found_) end_line();
    const std::string_view home = home_.view();
    return found_ && fits_ ? home.substr(0, home.size() - (home.ends_with('\r') ? 1 : 0))
                           : std::string_view();
  }

 private:
  enum Field : uint8_t { kName, kPassword, kUid, kGid, kComment, kHome };

  void add(char byte) {
    if (byte == '\n') return end_line();
    if (byte == ':') return end_field();
    if (first_ && (byte == '#' || byte == '+' || byte == '-')) skipping_ = true;
    first_ = false;
    if (field_ == kUid) add_digit(byte);
    if (field_ != kHome) return;
    fits_ = fits_ && byte != 0 && home_.view().size() + 2 < kLimit;
    home_.append(byte);
  }
  void add_digit(char byte) {
    if (byte < '0' || byte > '9' || number_ > UINT32_MAX) {
      skipping_ = true;
    } else {
      number_ = number_ * 10 + static_cast<uint64_t>(byte - '0');
      digits_ = true;
    }
  }
  void end_field() {
    if (field_ == kUid && (!digits_ || number_ != uid_)) skipping_ = true;
    if (field_ == kHome) {
      found_ = true;  // a shell follows
    } else {
      field_ = static_cast<Field>(field_ + 1);
      first_ = false;
    }
  }
  void end_line() {
    found_ = field_ == kHome && !skipping_;
    if (found_) return;
    field_ = kName;
    first_ = true;
    skipping_ = digits_ = false;
    number_ = 0;
  }

  static constexpr size_t kLimit = 1024;
  uint32_t uid_;
  uint64_t number_ = 0;
  Field field_ = kName;
  bool first_ = true;      // of its line
  bool digits_ = false;    // in the uid
  bool skipping_ = false;  // to the end of the line
  bool found_ = false, fits_ = true;
  FixedText<kLimit> home_;
};

}  // namespace onggi
