// SPDX-License-Identifier: Apache-2.0
// The tar bytes of a stored layer, checked on their way:
//
//   file ─▶ size, digest ─▶ inflate ─▶ limits, diffID ─▶ reader of the tar
//
// What is read is only known to be right once finish() has said so: nothing made of it may become
// visible before.
#pragma once

#include "base/fd.h"
#include "layer/byte_source.h"
#include "layer/decoder.h"
#include "model/descriptor.h"

#include <optional>
#include <vector>

namespace onggi::image {

// Against bombs; the defaults are beyond what images are seen with.
struct LayerLimits {
  uint64_t bytes = uint64_t{64} << 30;  // of tar, and of files with their holes
  uint64_t ratio = 200;                 // of tar to blob, looked at
  uint64_t ratio_from = 1u << 30;       // from this size on
  uint64_t entries = 10'000'000;
  uint64_t names = 256u << 20;  // bytes of paths that a layer makes: a deep path has many above it
};

// Files that are made for their metadata alone are holes of the right size.
enum class FileContent : uint8_t { written, skipped };

// Of the blob. The diffID is checked in any case.
enum class BlobDigest : uint8_t { unknown, checked };

class LayerStream final : public ByteSource {
 public:
  LayerStream(UniqueFd blob, const Descriptor& layer, const Digest& diff_id,
              const LayerLimits& limits, BlobDigest digest = BlobDigest::unknown);

  Result<std::string_view> peek() override;
  void consume(size_t count) override { ready_.remove_prefix(count); }

  // Reads what is left and compares both digests: they cover the bytes after the tar's end too.
  Result<> finish();

 private:
  Result<> read_portion();
  Result<> check_limits() const;

  UniqueFd blob_;
  std::optional<Verifier> verifier_;
  Hasher hasher_;
  Digest diff_id_;
  LayerLimits limits_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> buffer_;
  std::string_view input_, ready_;
  uint64_t taken_ = 0, produced_ = 0;
  bool at_end_ = false;
};

}  // namespace onggi::image
