// SPDX-License-Identifier: Apache-2.0
// Bytes that come in portions of the source's choice, without a copy.
#pragma once

#include "base/result.h"

#include <string_view>

namespace onggi::image {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;

  // What comes next; empty only at the end. Valid until the next peek().
  virtual Result<std::string_view> peek() = 0;
  // Drops so many of the bytes that peek() showed.
  virtual void consume(size_t count) = 0;
};

}  // namespace onggi::image
