// SPDX-License-Identifier: Apache-2.0
// A body with Content-Encoding, which nobody asked for, is usually the blob itself: a layer's own
// gzip under a wrong header. So its bytes are taken as they are, and only when size or digest show
// that they are something else is the blob asked for again, and decoded.
#include "registry/blob_sink.h"

#include "base/text.h"
#include "base/utf8.h"
#include "registry/challenge.h"
#include "registry/retry.h"

namespace onggi::image {

namespace {

constexpr uint64_t kMeasured = 2000;          // milliseconds
constexpr uint64_t kLong = 10;                // seconds, which the rest may take in one stream
constexpr uint64_t kSmallestRest = 4u << 20;  // below this, more connections cannot be worth it

}  // namespace

Result<> check_range(const Response& head, const Descriptor& blob, uint64_t start, uint64_t end) {
  const std::string& subject = blob.digest.text();
  const auto expected = text<96>("bytes ", start, "-", end - 1, "/", blob.size);
  const std::string* range = head.header("content-range");
  const std::string_view given = range == nullptr ? std::string_view() : *range;
  const auto prefix = text<48>("bytes ", start, "-");
  const auto suffix = text<32>("/", blob.size);
  if (given.starts_with(prefix.view()) && given.ends_with(suffix.view())) {
    const auto last = parse_decimal<uint64_t>(given.substr(
        prefix.view().size(), given.size() - prefix.view().size() - suffix.view().size()));
    if (last && *last >= start && *last < end) return {};
  }
  return make_error(ErrorKind::invalid_config, subject, ": asked for ", expected.view(),
                    ", but the registry sent ", given.empty() ? "no range" : printable(given));
}

std::string_view content_encoding(const Response& response) {
  const std::string* field = response.header("content-encoding");
  return field == nullptr || lower_case(*field) == "identity" ? std::string_view() : *field;
}

Result<> BlobSink::open(const Response& head) {
  const Descriptor& blob = blob_.descriptor();
  is_encoded_ = !options_.decodes && !content_encoding(head).empty();
  is_whole_ = head.status == 200;
  // Else the streams that this one is ended for might not come, and all of it would begin anew.
  const std::string* ranges = head.header("accept-ranges");
  can_split_ = options_.spare != nullptr && !is_encoded_ &&
               (head.status == 206 || (ranges != nullptr && lower_case(*ranges) == "bytes"));
  if (can_split_) since_ = options_.spare->clock().milliseconds();
  if (head.status == 206) {
    const Result<> range = check_range(head, blob, blob_.size(), blob.size);
    is_wrapped_ = is_encoded_ && !range;  // a place in the encoded bytes, and their size
    return is_wrapped_ ? Result<>() : range;
  }
  if (head.status != 200) return status_error(head, blob.digest.text());
  if (blob_.size() != 0) TRY(blob_.restart());  // a server without ranges
  const std::string* length = head.header("content-length");
  const bool is_decoded = options_.decodes && !content_encoding(head).empty();
  if (length == nullptr || is_decoded || parse_decimal<uint64_t>(*length) == blob.size) return {};
  is_wrapped_ = is_encoded_;
  if (is_wrapped_) return {};
  return make_error(ErrorKind::invalid_config, blob.digest.text(), ": the registry sent ",
                    printable(*length), " bytes instead of the ", blob.size, " of its descriptor");
}

Result<> BlobSink::write(std::string_view bytes) {
  if (is_encoded_) {
    is_wrapped_ = bytes.size() > blob_.descriptor().size - blob_.size();
    if (is_wrapped_) return {};
    raw_.update(bytes);
  }
  TRY(blob_.append(bytes));
  if (can_split_) measure(bytes.size());
  return {};
}

void BlobSink::measure(uint64_t count) {
  counted_ += count;
  const int64_t now = options_.spare->clock().milliseconds();
  const auto time = static_cast<uint64_t>(now - since_);
  if (time < kMeasured) return;
  const uint64_t rate = counted_ * 1000 / time;
  const uint64_t rest = blob_.descriptor().size - blob_.size();
  if (rest >= kSmallestRest && rest > rate * kLong && options_.spare->take())
    rate_ = std::max<uint64_t>(rate, 1);
  since_ = now;
  counted_ = 0;
}

bool BlobSink::is_wrapped(const Exchange& exchange) {
  if (!is_encoded_ || is_wrapped_) return is_wrapped_;
  if (!blob_.is_complete()) return exchange.is_success();  // it has ended, and not broken off
  return is_whole_ && raw_.finish() != blob_.descriptor().digest;
}

}  // namespace onggi::image
