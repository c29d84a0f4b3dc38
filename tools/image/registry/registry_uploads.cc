// SPDX-License-Identifier: Apache-2.0
// Blobs to a registry: mounted from another repository, or all at once with a known length, which
// every registry takes. What is too large for that, or breaks on the way, goes on in chunks behind
// what has come. Where the next request goes is said by each answer, and is not made up here: the
// address carries the state of the session.
#include "base/utf8.h"
#include "registry/registry.h"
#include "registry/retry.h"

#include <algorithm>

namespace onggi::image {

namespace {

constexpr uint64_t kChunk = 16u << 20;         // where nothing is known of the registry
constexpr uint64_t kCautiousChunk = 4u << 20;  // after a 413: ghcr.io takes no more than this
constexpr uint64_t kSmallestChunk = 64u << 10;
constexpr int kMostSessions = 4;

// The count of bytes in "0-99", which some write "bytes=0-99". "0-0" is what an empty session says,
// and one of a single byte as well: it counts as none.
std::optional<uint64_t> received_bytes(const Response& response) {
  const std::string* field = response.header("range");
  if (field == nullptr) return std::nullopt;
  std::string_view range = *field;
  if (range.starts_with("bytes=")) range.remove_prefix(6);
  if (!range.starts_with("0-")) return std::nullopt;
  const auto last = parse_decimal<uint64_t>(range.substr(2));
  if (!last || *last >= INT64_MAX) return std::nullopt;
  return *last == 0 ? 0 : *last + 1;
}

}  // namespace

// The upload of one blob: sessions at the registry, one after another.
class Registry::Upload {
 public:
  Upload(Registry& registry, const Descriptor& blob, const Body& bytes)
      : registry_(registry),
        blob_(blob),
        bytes_(bytes),
        scopes_(registry.scopes("pull,push")),
        backoff_(registry.access_.clock()) {}

  Result<bool> mount(const std::string& other);
  Result<> run();

 private:
  enum class Next : uint8_t { go_on, is_done };
  bool is_chunked() const { return chunk_ != 0; }
  const std::string& subject() const { return blob_.digest.text(); }
  Result<> start();
  Result<> adopt(const Response& response);
  Request request(const char* method) const;
  Exchange send(const Request& request, Repeats repeats);
  Exchange send_next();
  Result<Next> taken(const Response& response);
  Result<Next> failed(const Exchange& exchange);
  Result<Next> restarted(const Exchange& exchange);
  Result<> take_up(const Exchange& broken);
  bool shrink_chunk(long status);
  void cancel();

  Registry& registry_;
  const Descriptor& blob_;
  const Body bytes_;
  const Scopes scopes_;
  Backoff backoff_;
  std::optional<Url> session_;
  int sessions_ = 0;
  uint64_t offset_ = 0;    // that the registry has
  uint64_t chunk_ = 0;     // 0: all at once
  uint64_t smallest_ = 0;  // chunk, by the registry's word
};

// The right to read the other repository is asked for in the same token. A 202 is the start of an
// ordinary upload; that is done later, when the bytes are at hand.
Result<bool> Registry::Upload::mount(const std::string& other) {
  const Scopes both = {scopes_[0], "repository:" + other + ":pull"};
  Request request;
  request.method = "POST";
  std::string address = TRY(registry_.address("/blobs/uploads/")).text;
  address = with_parameter(address, "mount", blob_.digest.text());
  request.url = TRY(parse_url(with_parameter(address, "from", other)));
  request.body = Body::of_text("");
  const Exchange exchange = registry_.send(request, both, Repeats::yes);
  const long status = exchange.status();
  if (status == 202 && adopt(exchange.response)) cancel();
  if (status != 201) return false;
  TRY(check_announced_digest(exchange.response, blob_.digest, subject()));
  return true;
}

Result<> Registry::Upload::start() {
  Request request;
  request.method = "POST";
  request.url = TRY(registry_.address("/blobs/uploads/"));
  request.body = Body::of_text("");
  const Exchange exchange = registry_.send(request, scopes_, Repeats::yes);
  if (exchange.status() != 202) return registry_.error_of(exchange, subject());
  TRY(adopt(exchange.response));
  ++sessions_;
  offset_ = 0;
  const std::string* least = exchange.response.header("oci-chunk-min-length");
  smallest_ = least == nullptr ? 0 : parse_decimal<uint64_t>(*least).value_or(0);
  // A registry that speaks of chunks is made for them.
  if (smallest_ != 0 && !is_chunked() && blob_.size > smallest_) chunk_ = kChunk;
  if (is_chunked()) chunk_ = std::max(chunk_, smallest_);
  return {};
}

// Where the session is. Another host may be meant (storage with presigned addresses); it gets no
// credentials then. It is the registry's choice as a realm is, and so has the same limits.
Result<> Registry::Upload::adopt(const Response& response) {
  const std::string* location = response.header("location");
  if (location == nullptr) {
    if (session_) return {};
    return make_error(ErrorKind::invalid_config, subject(),
                      ": the registry did not return an upload location");
  }
  const Url target = TRY_AT(subject(), resolve_url(response.url, *location));
  const Url base = TRY(registry_.access_.base(registry_.http_));
  if (base.scheme == "https" && target.scheme != "https") {
    return with_hint(make_error(ErrorKind::invalid_config, subject(),
                                ": the registry is contacted over https, but requests the upload "
                                "to the unencrypted address ",
                                without_query(target)),
                     "configure the proxy before the registry to send X-Forwarded-Proto");
  }
  if (is_internal(target.host) && target.host != base.host) {
    return make_error(ErrorKind::invalid_config, subject(),
                      ": the registry requests the upload to the internal address ",
                      without_query(target));
  }
  session_ = target;
  return {};
}

Request Registry::Upload::request(const char* method) const {
  Request request;
  request.method = method;
  request.url = *session_;
  return request;
}

Exchange Registry::Upload::send(const Request& request, Repeats repeats) {
  const Result<Url> base = registry_.access_.base(registry_.http_);
  if (base && base.value().same_origin(request.url))
    return registry_.send(request, scopes_, repeats);
  return repeats == Repeats::no ? registry_.http_.send(request)
                                : send_with_retries(registry_.http_, registry_.access_.clock(),
                                                    request, Patience::full);
}

// All of the blob, its next chunk, or the end of its chunks.
Exchange Registry::Upload::send_next() {
  const bool is_last = !is_chunked() || offset_ == blob_.size;
  Request next = request(is_last ? "PUT" : "PATCH");
  next.headers = {"Content-Type: application/octet-stream"};
  if (is_last) {
    next.url.text = with_parameter(session_->text, "digest", blob_.digest.text());
    next.body = is_chunked() ? Body::of_text("") : bytes_;
    return send(next, Repeats::no);
  }
  const uint64_t size = std::min(chunk_, blob_.size - offset_);
  next.body = bytes_.part(offset_, size);
  // Without "bytes" and total: a form of this specification alone.
  next.headers.push_back("Content-Range: " + std::to_string(offset_) + "-" +
                         std::to_string(offset_ + size - 1));
  return send(next, Repeats::no);
}

Result<> Registry::Upload::run() {
  TRY(start());
  while (true) {
    const Exchange exchange = send_next();
    const Result<Next> next = exchange.is_success() ? taken(exchange.response) : failed(exchange);
    if (!next) {
      cancel();
      return next.error();
    }
    if (next.value() == Next::is_done) return {};
  }
}

Result<Registry::Upload::Next> Registry::Upload::taken(const Response& response) {
  if (!is_chunked() || offset_ == blob_.size) {
    if (response.status == 202) {
      return make_error(ErrorKind::state, subject(),
                        ": the registry received the whole blob, but expects more");
    }
    TRY(check_announced_digest(response, blob_.digest, subject()));
    return Next::is_done;
  }
  const uint64_t start = offset_;
  offset_ += std::min(chunk_, blob_.size - offset_);
  // It may have taken a part. A count that stands still in spite of the 202 is not believed: ECR
  // never counts behind the first chunk. If it was true, the digest will not fit in the end.
  const std::optional<uint64_t> received = received_bytes(response);
  if (received && *received > start && *received < offset_) offset_ = *received;
  backoff_.restart();
  TRY(adopt(response));
  return Next::go_on;
}

bool Registry::Upload::shrink_chunk(long status) {
  if (!is_chunked()) {
    chunk_ = status == 413 ? kCautiousChunk : kChunk;
  } else {
    chunk_ = std::min(chunk_, blob_.size) / 2;
  }
  return chunk_ >= std::max(smallest_, kSmallestChunk);
}

Result<Registry::Upload::Next> Registry::Upload::failed(const Exchange& exchange) {
  const long status = exchange.status();
  if (status == 404) {
    session_.reset();
    return restarted(exchange);
  }
  if (status == 413 || status == 416) {
    if (!shrink_chunk(status)) return registry_.error_of(exchange, subject());
    TRY(adopt(exchange.response));
  } else if (is_worth_another_try(exchange) && backoff_.wait(exchange)) {
    if (!is_chunked()) chunk_ = std::max(kChunk, smallest_);
  } else {
    return registry_.error_of(exchange, subject());
  }
  TRY(take_up(exchange));
  return session_ ? Next::go_on : restarted(exchange);
}

// Asks how far the session has come. One that cannot be taken up is given up: where the registry
// does not say it, or where a connection broke and "0-0" may be the one byte that arrived.
Result<> Registry::Upload::take_up(const Exchange& broken) {
  const Exchange exchange = send(request("GET"), Repeats::yes);
  if (exchange.status() == 404) {
    session_.reset();
    return {};
  }
  if (exchange.is_success()) TRY(adopt(exchange.response));
  const std::optional<uint64_t> received = received_bytes(exchange.response);
  const bool is_known =
      received && *received <= blob_.size && (*received != 0 || broken.status() != 0);
  if (!exchange.is_success() || !is_known) {
    cancel();
    session_.reset();
    return {};
  }
  offset_ = *received;
  return {};
}

// The session is gone: because the blob is there after all, or else another one is to be opened.
Result<Registry::Upload::Next> Registry::Upload::restarted(const Exchange& exchange) {
  if (TRY(registry_.has(blob_))) return Next::is_done;
  if (sessions_ == kMostSessions) return registry_.error_of(exchange, subject());
  TRY(start());
  return Next::go_on;
}

// Registries keep unfinished sessions for a week; whether it works is nobody's concern.
void Registry::Upload::cancel() {
  if (session_) (void)send(request("DELETE"), Repeats::no);
}

Result<bool> Registry::mount(const Descriptor& blob, const std::string& other_repository) {
  return Upload(*this, blob, {}).mount(other_repository);
}

Result<> Registry::push(const Descriptor& blob, const Body& bytes) {
  if (bytes.size != blob.size) {
    return make_error(ErrorKind::internal, blob.digest.text(), ": ", bytes.size,
                      " bytes were read, but the descriptor says ", blob.size);
  }
  return Upload(*this, blob, bytes).run();
}

}  // namespace onggi::image
