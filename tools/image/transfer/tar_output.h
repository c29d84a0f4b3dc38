// SPDX-License-Identifier: Apache-2.0
// A tar file of regular files, written once from front to back: ustar, with PAX records where a
// name or a size needs them. No owner and no time: the same files give the same bytes.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace onggi::image {

class TarOutput {
 public:
  explicit TarOutput(int fd) : fd_(fd) {}

  // Then `size` bytes in portions.
  Result<> begin(const std::string& name, uint64_t size);
  Result<> write(std::string_view bytes);
  Result<> add(const std::string& name, std::string_view bytes);
  // Behind the last entry.
  Result<> end();

 private:
  Result<> pad();

  int fd_;
  uint64_t written_ = 0;
};

}  // namespace onggi::image
