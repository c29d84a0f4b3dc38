// SPDX-License-Identifier: Apache-2.0
// A compressed layer -> tar bytes, in portions and with bounded memory.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace onggi::image {

class Decoder {
 public:
  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  virtual ~Decoder() = default;

  // Takes what it can from the front of `input`. Empty: it has taken all of it and wants more.
  virtual Result<std::string_view> decode(std::string_view& input) = 0;
  // There is no more input: an error if some is missing.
  virtual Result<> finish() = 0;
};

// By the first bytes, because media types are often wrong: gzip, zstd, xz, bzip2, else the bytes as
// they are. So many of them decide, if there are as many.
inline constexpr size_t kDecidingBytes = 8;
enum class CompressedFormat : uint8_t { none, gzip, zstd, xz, bzip2 };
CompressedFormat format_of(std::string_view first_bytes);
std::unique_ptr<Decoder> make_decoder(std::string_view first_bytes);

}  // namespace onggi::image
