// SPDX-License-Identifier: Apache-2.0
// igzip for gzip: four times as fast as zlib, with a window of its own and no more. zstd by its own
// library, its window limited: a frame may ask for gigabytes.
#include "layer/decoder.h"

#include "layer/xz_bzip2.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace onggi::image {
namespace {

constexpr size_t kPortion = 256u << 10;
constexpr int kLargestWindow = 27;  // log2 of bytes, what the zstd program accepts without asking

Error truncated() {
  return make_error(ErrorKind::invalid_config, "the compressed data ends too early");
}

class Plain final : public Decoder {
 public:
  Result<std::string_view> decode(std::string_view& input) override {
    return std::exchange(input, std::string_view());
  }
  Result<> finish() override { return {}; }
};

Error damaged_gzip() {
  return make_error(ErrorKind::invalid_config, "the gzip data is damaged");
}

// The header of a member (RFC 1952, section 2.3) in whatever portions it comes; nothing in it
// matters for a layer. igzip's own reader loses its place when optional fields span two portions.
class GzipHeader {
 public:
  // Takes the header from the front of `input`. True: it was complete.
  Result<bool> skip(std::string_view& input) {
    while (!input.empty() && step_ != Step::done) {
      const auto byte = static_cast<unsigned char>(input[0]);
      input.remove_prefix(1);
      if (!take(byte)) return damaged_gzip();
    }
    return step_ == Step::done;
  }

 private:
  enum class Step { fixed, extra_length, extra, name, comment, checksum, done };
  static constexpr unsigned char kChecksum = 2, kExtra = 4, kName = 8, kComment = 16,
                                 kReserved = 0xe0;

  bool take(unsigned char byte) {
    switch (step_) {
      case Step::fixed: {
        static constexpr unsigned char kStart[] = {0x1f, 0x8b, 8};  // its name, deflate
        if (count_ < sizeof(kStart) && byte != kStart[count_]) return false;
        if (count_ == sizeof(kStart)) flags_ = byte;
        if (++count_ == 10) next();
        return (flags_ & kReserved) == 0;
      }
      case Step::extra_length:
        extra_ |= static_cast<unsigned>(byte) << (8 * count_);
        if (++count_ == 2) next();
        return true;
      case Step::extra:
        if (++count_ == extra_) next();
        return true;
      case Step::name:
      case Step::comment:
        if (byte == 0) next();
        return true;
      case Step::checksum:  // of the header alone, which few programs write and fewer look at
        if (++count_ == 2) next();
        return true;
      case Step::done:
        break;
    }
    return true;
  }

  void next() {
    count_ = 0;
    do {
      step_ = static_cast<Step>(static_cast<int>(step_) + 1);
    } while (!present(step_));
  }

  bool present(Step step) const {
    switch (step) {
      case Step::extra_length:
        return (flags_ & kExtra) != 0;
      case Step::extra:
        return extra_ > 0;
      case Step::name:
        return (flags_ & kName) != 0;
      case Step::comment:
        return (flags_ & kComment) != 0;
      case Step::checksum:
        return (flags_ & kChecksum) != 0;
      case Step::fixed:
      case Step::done:
        break;
    }
    return true;
  }

  Step step_ = Step::fixed;
  unsigned char flags_ = 0;
  size_t count_ = 0;    // bytes of the field that is being read
  unsigned extra_ = 0;  // bytes of the extra field
};

class Gzip final : public Decoder {
 public:
  Gzip() : output_(kPortion) { begin_member(); }

  Result<std::string_view> decode(std::string_view& input) override {
    while (!input.empty() || full_) {
      full_ = false;
      if (state_.block_state == ISAL_BLOCK_FINISH && !TRY(next_member(input))) break;
      if (!TRY(header_.skip(input))) break;
      // The library declares its input without const; it does not write there.
      state_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(input.data()));
      state_.avail_in = static_cast<uint32_t>(input.size());
      state_.next_out = output_.data();
      state_.avail_out = static_cast<uint32_t>(output_.size());
      const int result = isal_inflate(&state_);
      if (result != ISAL_DECOMP_OK && result != ISAL_END_INPUT) return damaged_gzip();
      input.remove_prefix(input.size() - state_.avail_in);
      full_ = state_.avail_out == 0;
      const size_t count = output_.size() - state_.avail_out;
      if (count > 0) return std::string_view(reinterpret_cast<char*>(output_.data()), count);
    }
    return std::string_view();
  }

  Result<> finish() override {
    if (state_.block_state != ISAL_BLOCK_FINISH) return truncated();
    return {};
  }

 private:
  void begin_member() {
    isal_inflate_init(&state_);
    state_.crc_flag = ISAL_GZIP_NO_HDR_VER;  // the trailer is checked
    header_ = GzipHeader();
  }

  // Members follow one another, and padding with NULs after the last one occurs in the wild. False:
  // there is nothing but padding.
  Result<bool> next_member(std::string_view& input) {
    const size_t padding = std::min(input.find_first_not_of('\0'), input.size());
    padded_ = padded_ || padding > 0;
    input.remove_prefix(padding);
    if (input.empty()) return false;
    if (padded_ || input[0] != '\x1f') {
      return make_error(ErrorKind::invalid_config,
                        "there are bytes after the end of the gzip data");
    }
    begin_member();
    return true;
  }

  GzipHeader header_;
  inflate_state state_;
  std::vector<uint8_t> output_;
  bool padded_ = false;
  bool full_ = false;  // the last call may have kept output back
};

class Zstd final : public Decoder {
 public:
  Zstd() : stream_(ZSTD_createDStream()), output_(kPortion) {
    (void)ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, kLargestWindow);
  }

  // Several frames are one stream; the library skips skippable ones (the table of zstd:chunked).
  Result<std::string_view> decode(std::string_view& input) override {
    ZSTD_outBuffer out = {output_.data(), output_.size(), 0};
    ZSTD_inBuffer in = {input.data(), input.size(), 0};
    // Behind a frame's end nothing can have been kept back, and the library would ask for another.
    while (out.pos == 0 && (in.pos < in.size || (full_ && wanted_ != 0))) {
      wanted_ = ZSTD_decompressStream(stream_.get(), &out, &in);
      full_ = out.pos == out.size;
      if (ZSTD_isError(wanted_) != 0) {
        return make_error(ErrorKind::invalid_config,
                          "the zstd data is damaged: ", ZSTD_getErrorName(wanted_));
      }
    }
    input.remove_prefix(in.pos);
    return std::string_view(output_.data(), out.pos);
  }

  Result<> finish() override {
    if (wanted_ != 0) return truncated();
    return {};
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { (void)ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  std::vector<char> output_;
  size_t wanted_ = 0;  // 0: between two frames
  bool full_ = false;  // the last call may have kept output back
};

}  // namespace

CompressedFormat format_of(std::string_view first_bytes) {
  using std::string_view_literals::operator""sv;
  if (first_bytes.starts_with("\x1f\x8b")) return CompressedFormat::gzip;
  // A skippable frame may come first.
  const bool skippable = first_bytes.size() >= 4 && first_bytes.substr(1, 3) == "\x2a\x4d\x18" &&
                         (static_cast<unsigned char>(first_bytes[0]) & 0xf0) == 0x50;
  if (skippable || first_bytes.starts_with("\x28\xb5\x2f\xfd")) return CompressedFormat::zstd;
  if (first_bytes.starts_with("\xfd\x37zXZ\0"sv)) return CompressedFormat::xz;
  // A block, or at once the end of a stream without any.
  const std::string_view block = first_bytes.substr(std::min<size_t>(4, first_bytes.size()), 4);
  const bool is_bzip2 = first_bytes.starts_with("BZh") && first_bytes.size() >= kDecidingBytes &&
                        first_bytes[3] >= '1' && first_bytes[3] <= '9' &&
                        (block == "1AY&" || block == "\x17\x72\x45\x38");
  return is_bzip2 ? CompressedFormat::bzip2 : CompressedFormat::none;
}

std::unique_ptr<Decoder> make_decoder(std::string_view first_bytes) {
  switch (format_of(first_bytes)) {
    case CompressedFormat::gzip:
      return std::make_unique<Gzip>();
    case CompressedFormat::zstd:
      return std::make_unique<Zstd>();
    case CompressedFormat::xz:
      return make_xz_decoder();
    case CompressedFormat::bzip2:
      return make_bzip2_decoder();
    case CompressedFormat::none:
      break;
  }
  return std::make_unique<Plain>();
}

}  // namespace onggi::image
