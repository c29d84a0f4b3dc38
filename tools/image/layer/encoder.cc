// SPDX-License-Identifier: Apache-2.0
// See the header. igzip at its best level, several times as fast as zlib at the same size.
#include "layer/encoder.h"

#include "base/file.h"
#include "model/media_type.h"

#include <isa-l/igzip_lib.h>
#include <zstd.h>

#include <algorithm>

namespace onggi::image {

class Compressor {
 public:
  Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  virtual ~Compressor() = default;
  // `last`: nothing comes after these bytes.
  virtual Result<> compress(std::string_view bytes, bool last, ByteSink& to) = 0;
};

namespace {

constexpr size_t kPortion = 256u << 10;

class Plain final : public Compressor {
 public:
  Result<> compress(std::string_view bytes, bool, ByteSink& to) override { return to.write(bytes); }
};

// The header has neither time nor name, and 255 for the system: nothing of this machine.
class Gzip final : public Compressor {
 public:
  Gzip() : level_buffer_(ISAL_DEF_LVL3_DEFAULT), output_(kPortion) {
    isal_deflate_init(&stream_);
    stream_.gzip_flag = IGZIP_GZIP;
    stream_.level = 3;
    stream_.level_buf = level_buffer_.data();
    stream_.level_buf_size = static_cast<uint32_t>(level_buffer_.size());
  }

  Result<> compress(std::string_view bytes, bool last, ByteSink& to) override {
    // The library declares its input without const; it does not write there.
    stream_.next_in = reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uint32_t>(bytes.size());
    stream_.end_of_stream = last ? 1 : 0;
    stream_.flush = NO_FLUSH;
    do {
      stream_.next_out = output_.data();
      stream_.avail_out = static_cast<uint32_t>(output_.size());
      if (isal_deflate(&stream_) != COMP_OK)
        return make_error(ErrorKind::internal, "isal_deflate failed");
      const size_t count = output_.size() - stream_.avail_out;
      TRY(to.write({reinterpret_cast<char*>(output_.data()), count}));
    } while (stream_.avail_out == 0 || stream_.avail_in > 0);
    return {};
  }

 private:
  isal_zstream stream_;
  std::vector<uint8_t> level_buffer_, output_;
};

// The level of the zstd program, and its checksum. In one thread: with several the frames differ.
class Zstd final : public Compressor {
 public:
  Zstd() : context_(ZSTD_createCCtx()), output_(kPortion) {
    (void)ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, 3);
    (void)ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  Result<> compress(std::string_view bytes, bool last, ByteSink& to) override {
    ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
    for (;;) {
      ZSTD_outBuffer out = {output_.data(), output_.size(), 0};
      const size_t left =
          ZSTD_compressStream2(context_.get(), &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0)
        return make_error(ErrorKind::internal, "zstd: ", ZSTD_getErrorName(left));
      TRY(to.write({output_.data(), out.pos}));
      if (last ? left == 0 : in.pos == in.size) return {};
    }
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { (void)ZSTD_freeCCtx(context); }
  };
  std::unique_ptr<ZSTD_CCtx, Free> context_;
  std::vector<char> output_;
};

std::unique_ptr<Compressor> make_compressor(Compression compression) {
  if (compression == Compression::gzip) return std::make_unique<Gzip>();
  if (compression == Compression::zstd) return std::make_unique<Zstd>();
  return std::make_unique<Plain>();
}

constexpr std::string_view kMediaTypes[] = {media_type::kLayer, media_type::kLayerGzip,
                                            media_type::kLayerZstd};

}  // namespace

LayerEncoder::LayerEncoder(int fd, Compression compression)
    : output_(fd), compression_(compression), compressor_(make_compressor(compression)) {
  portion_.reserve(kPortion);
}

LayerEncoder::~LayerEncoder() = default;

Result<> LayerEncoder::write(std::string_view tar) {
  hasher_.update(tar);
  while (!tar.empty()) {
    const size_t count = std::min(tar.size(), kPortion - portion_.size());
    portion_.insert(portion_.end(), tar.begin(), tar.begin() + static_cast<std::ptrdiff_t>(count));
    tar.remove_prefix(count);
    if (portion_.size() < kPortion) break;
    TRY(compressor_->compress({portion_.data(), portion_.size()}, false, output_));
    portion_.clear();
  }
  return {};
}

Result<LayerBlob> LayerEncoder::finish() {
  TRY(compressor_->compress({portion_.data(), portion_.size()}, true, output_));
  LayerBlob blob{output_.finish(), hasher_.finish()};
  blob.descriptor.media_type = kMediaTypes[static_cast<size_t>(compression_)];
  return blob;
}

Result<> LayerEncoder::Output::write(std::string_view bytes) {
  if (bytes.empty()) return {};
  hasher_.update(bytes);
  size_ += bytes.size();
  return write_all(fd_, "layer", bytes);
}

Descriptor LayerEncoder::Output::finish() {
  Descriptor descriptor;
  descriptor.digest = hasher_.finish();
  descriptor.size = size_;
  return descriptor;
}

}  // namespace onggi::image
