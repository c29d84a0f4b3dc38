// SPDX-License-Identifier: Apache-2.0
// Tar bytes -> a layer's blob, with both digests in one pass:
//
//   tar ─▶ diffID ─▶ compressor ─▶ digest, size ─▶ file
//
// The compressor gets portions of one size, whatever size they came in, and one setting: the same
// tar gives the same blob. Another version of its library may give another one, so a blob that is
// there already is kept and not made again.
#pragma once

#include "layer/byte_sink.h"
#include "model/descriptor.h"

#include <memory>
#include <vector>

namespace onggi::image {

enum class Compression : uint8_t { none, gzip, zstd };

struct LayerBlob {
  Descriptor descriptor;
  Digest diff_id;
};

class Compressor;

class LayerEncoder final : public ByteSink {
 public:
  // Writes to `fd`, which it borrows, from where that stands.
  LayerEncoder(int fd, Compression compression);
  ~LayerEncoder() override;

  Result<> write(std::string_view tar) override;
  // Once, at the end.
  Result<LayerBlob> finish();

 private:
  // The blob's bytes.
  class Output final : public ByteSink {
   public:
    explicit Output(int fd) : fd_(fd) {}
    Result<> write(std::string_view bytes) override;
    Descriptor finish();

   private:
    int fd_;
    Hasher hasher_{Algorithm::sha256};
    uint64_t size_ = 0;
  };

  Output output_;
  Compression compression_;
  Hasher hasher_{Algorithm::sha256};
  std::unique_ptr<Compressor> compressor_;
  std::vector<char> portion_;
};

}  // namespace onggi::image
