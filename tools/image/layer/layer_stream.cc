// SPDX-License-Identifier: Apache-2.0
// One portion at a time through all stages; memory does not grow with the layer.
#include "layer/layer_stream.h"

namespace onggi::image {

LayerStream::LayerStream(UniqueFd blob, const Descriptor& layer, const Digest& diff_id,
                         const LayerLimits& limits, BlobDigest digest)
    : blob_(std::move(blob)),
      hasher_(diff_id.algorithm()),
      diff_id_(diff_id),
      limits_(limits),
      buffer_(256u << 10) {
  if (digest == BlobDigest::unknown) verifier_.emplace(layer.digest, layer.size);
}

Result<> LayerStream::read_portion() {
  const long count = sys::read(blob_.get(), buffer_.data(), buffer_.size());
  if (count < 0) return system_error(count, "read", "layer");
  input_ = {buffer_.data(), static_cast<size_t>(count)};
  taken_ += input_.size();
  at_end_ = count == 0;
  if (!verifier_) return {};
  return at_end_ ? verifier_->finish() : verifier_->update(input_);
}

Result<> LayerStream::check_limits() const {
  constexpr std::string_view kCure = "if you trust the image, raise --max-layer-size";
  if (produced_ > limits_.bytes) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "inflates to more than ", limits_.bytes, " bytes"),
        kCure);
  }
  if (produced_ > limits_.ratio_from && produced_ / limits_.ratio > taken_) {
    return with_hint(make_error(ErrorKind::invalid_config, "inflates to more than ", limits_.ratio,
                                " times its size"),
                     kCure);
  }
  return {};
}

Result<std::string_view> LayerStream::peek() {
  while (ready_.empty() && !at_end_) {
    if (decoder_ != nullptr) {
      ready_ = TRY(decoder_->decode(input_));
      produced_ += ready_.size();
      hasher_.update(ready_);
      TRY(check_limits());
      if (!ready_.empty()) break;
    }
    TRY(read_portion());
    if (decoder_ == nullptr) decoder_ = make_decoder(input_);
    if (at_end_) TRY(decoder_->finish());
  }
  return ready_;
}

Result<> LayerStream::finish() {
  for (;;) {
    const std::string_view rest = TRY(peek());
    if (rest.empty()) break;
    consume(rest.size());
  }
  const Digest found = hasher_.finish();
  if (found == diff_id_) return {};
  return make_error(ErrorKind::invalid_config, "the tar's digest is ", found.text(),
                    ", but the image config has ", diff_id_.text());
}

}  // namespace onggi::image
