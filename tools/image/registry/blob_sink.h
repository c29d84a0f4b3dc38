// SPDX-License-Identifier: Apache-2.0
// Bytes of one blob as they come from a server, into its file; and what the answer's header says of
// them.
#pragma once

#include "registry/spare_connections.h"
#include "store/partial_blob.h"

namespace onggi::image {

// "bytes 100-199/200" of a 206, for a range that reaches from `start` to `end`, behind its last
// byte. Less than was asked for is no error: the rest is asked for again.
Result<> check_range(const Response& head, const Descriptor& blob, uint64_t start, uint64_t end);
// What a server did to the bytes for the transfer, or empty.
std::string_view content_encoding(const Response& response);

// All that is missing, in one stream.
class BlobSink : public Sink {
 public:
  struct Options {
    bool decodes = false;  // the request undoes Content-Encoding
    // Taken when the stream is too slow for what is left and the server has ranges, which ends it.
    // nullptr: it is never ended.
    SpareConnections* spare = nullptr;
  };
  BlobSink(PartialBlob& blob, const Options& options)
      : blob_(blob), options_(options), raw_(blob.descriptor().digest.algorithm()) {}

  Result<> open(const Response& head) override;
  Result<> write(std::string_view bytes) override;
  bool is_done() const override { return is_wrapped_ || rate_ != 0; }

  // After the transfer: what came is the Content-Encoding's, and not the blob's bytes.
  bool is_wrapped(const Exchange& exchange);
  // Of a stream that was ended because the rest would have taken long: bytes a second. Else 0.
  uint64_t slow_rate() const { return rate_; }

 private:
  void measure(uint64_t count);

  PartialBlob& blob_;
  const Options options_;
  Hasher raw_;  // of an encoded body as it comes
  bool is_encoded_ = false, is_whole_ = false, is_wrapped_ = false;
  bool can_split_ = false;
  int64_t since_ = 0;
  uint64_t counted_ = 0;  // bytes since then
  uint64_t rate_ = 0;
};

}  // namespace onggi::image
