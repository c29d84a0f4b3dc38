// SPDX-License-Identifier: Apache-2.0
// liblzma and libbz2. Both programs, and their parallel relatives, write several streams one behind
// the other, which count as one.
#include "layer/xz_bzip2.h"

#include <bzlib.h>
#include <lzma.h>

#include <vector>

namespace onggi::image {
namespace {

constexpr size_t kPortion = 256u << 10;
// `xz -9` needs 65 MiB to decompress. A header may ask for 4 GiB.
constexpr uint64_t kMostMemory = 256u << 20;

Error damaged(std::string_view format) {
  return make_error(ErrorKind::invalid_config, "the ", format, " data is damaged");
}
Error truncated() {
  return make_error(ErrorKind::invalid_config, "the compressed data ends too early");
}

class Xz final : public Decoder {
 public:
  Xz() : output_(kPortion) {
    begun_ = lzma_stream_decoder(&stream_, kMostMemory, LZMA_CONCATENATED);
  }
  ~Xz() override { lzma_end(&stream_); }

  Result<std::string_view> decode(std::string_view& input) override {
    while (!input.empty() || full_) {
      const std::string_view bytes = TRY(step(input, LZMA_RUN));
      if (!bytes.empty()) return bytes;
    }
    return std::string_view();
  }

  // Only the end of all input tells that no further stream follows.
  Result<> finish() override {
    std::string_view nothing;
    TRY(step(nothing, LZMA_FINISH));
    if (!has_ended_) return truncated();
    return {};
  }

 private:
  Result<std::string_view> step(std::string_view& input, lzma_action action) {
    if (begun_ != LZMA_OK) return make_error(ErrorKind::state, "liblzma is out of memory");
    stream_.next_in = reinterpret_cast<const uint8_t*>(input.data());
    stream_.avail_in = input.size();
    stream_.next_out = output_.data();
    stream_.avail_out = output_.size();
    const lzma_ret result = lzma_code(&stream_, action);
    if (result == LZMA_MEMLIMIT_ERROR) {
      return make_error(ErrorKind::invalid_config, "the xz data needs more than ",
                        kMostMemory >> 20, " MiB of memory to decompress");
    }
    // LZMA_BUF_ERROR: nothing to take and nothing to give, which is no harm.
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR)
      return damaged("xz");
    has_ended_ = result == LZMA_STREAM_END;
    input.remove_prefix(input.size() - stream_.avail_in);
    full_ = stream_.avail_out == 0;
    return std::string_view(reinterpret_cast<char*>(output_.data()),
                            output_.size() - stream_.avail_out);
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::vector<uint8_t> output_;
  lzma_ret begun_;
  bool has_ended_ = false;
  bool full_ = false;  // the last call may have kept output back
};

class Bzip2 final : public Decoder {
 public:
  Bzip2() : output_(kPortion) { begin(); }
  ~Bzip2() override { (void)BZ2_bzDecompressEnd(&stream_); }

  Result<std::string_view> decode(std::string_view& input) override {
    while (!input.empty() || full_) {
      if (!is_begun_) return make_error(ErrorKind::state, "libbz2 is out of memory");
      if (has_ended_) {
        if (input.empty()) break;
        (void)BZ2_bzDecompressEnd(&stream_);
        begin();
        continue;
      }
      // The library declares its input without const; it does not write there.
      stream_.next_in = const_cast<char*>(input.data());
      stream_.avail_in = static_cast<unsigned>(input.size());
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<unsigned>(output_.size());
      const int result = BZ2_bzDecompress(&stream_);
      if (result != BZ_OK && result != BZ_STREAM_END) return damaged("bzip2");
      has_ended_ = result == BZ_STREAM_END;
      input.remove_prefix(input.size() - stream_.avail_in);
      full_ = stream_.avail_out == 0;
      const size_t count = output_.size() - stream_.avail_out;
      if (count > 0) return std::string_view(output_.data(), count);
    }
    return std::string_view();
  }

  Result<> finish() override {
    if (!has_ended_) return truncated();
    return {};
  }

 private:
  void begin() {
    stream_ = {};
    is_begun_ = BZ2_bzDecompressInit(&stream_, 0, 0) == BZ_OK;
    has_ended_ = false;
  }

  bz_stream stream_ = {};
  std::vector<char> output_;
  bool is_begun_ = false;
  bool has_ended_ = false;  // the last stream
  bool full_ = false;       // the last call may have kept output back
};

}  // namespace

std::unique_ptr<Decoder> make_xz_decoder() {
  return std::make_unique<Xz>();
}
std::unique_ptr<Decoder> make_bzip2_decoder() {
  return std::make_unique<Bzip2>();
}

}  // namespace onggi::image
