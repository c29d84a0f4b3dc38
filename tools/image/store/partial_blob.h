// SPDX-License-Identifier: Apache-2.0
// A blob that is on its way. What has come stays in a file when the transfer breaks, also when the
// process is killed, and the next pull goes on behind it. It gets its name only when size and
// digest are right.
#pragma once

#include "base/fd.h"
#include "model/descriptor.h"

#include <atomic>

namespace onggi::image {

class PartialBlob {
 public:
  // The file "ALGORITHM-HEX" of the directory, locked: a second pull of the same blob waits here.
  static Result<PartialBlob> open(int directory, const Descriptor& descriptor);

  uint64_t size() const { return size_; }
  const Descriptor& descriptor() const { return descriptor_; }
  bool is_complete() const { return size_ == descriptor_.size; }
  // size(), for another thread to look at. It must live as long as this.
  void count_in(std::atomic<uint64_t>& counter);

  Result<> append(std::string_view bytes);
  Result<> restart();  // throws away what has come
  Result<> remove();   // the file as well
  // Checks the digest and renames the file. A file with a wrong digest is removed: what made it
  // wrong is in any part of it.
  Result<> publish(int directory, const std::string& name);

 private:
  PartialBlob(int directory, const Descriptor& descriptor, UniqueFd file);
  Result<> take_up();
  void set_size(uint64_t size);

  int directory_;
  Descriptor descriptor_;
  std::string name_;
  UniqueFd file_;
  Hasher hasher_;
  uint64_t size_ = 0;
  std::atomic<uint64_t>* counter_ = nullptr;
};

}  // namespace onggi::image
