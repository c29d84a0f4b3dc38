// SPDX-License-Identifier: Apache-2.0
// Blobs from a registry. A transfer that breaks goes on behind what has come, always from the
// registry's own address: what it redirects to is presigned and expires.
#include "registry/blob_sink.h"
#include "registry/registry.h"
#include "registry/retry.h"

#include <algorithm>

namespace onggi::image {

namespace {

// So much must have come before a broken transfer gets all of its tries again; with less, a server
// that sends a byte at a time could go on for ever.
constexpr uint64_t kProgress = 1u << 20;
// Parts of a slow blob are two seconds of its stream: what is lost when they break off is little,
// and what each request costs as well. Above 8 MiB they would only take memory.
constexpr uint64_t kSmallestPart = 1u << 20, kLargestPart = 8u << 20;

}  // namespace

// The rest of one blob from one address, in as many transfers as it takes.
class Registry::Fetch {
 public:
  Fetch(Registry& registry, const Url& url, bool is_registry, PartialBlob& blob)
      : registry_(registry),
        url_(url),
        is_registry_(is_registry),
        blob_(blob),
        backoff_(registry.access_.backoff()),
        spare_(registry.access_),
        counted_(blob.size()),
        may_split_(is_registry) {}

  Result<> run();

 private:
  Exchange send(BlobSink& sink);
  Result<> broken(const Exchange& exchange);

  Registry& registry_;
  const Url& url_;
  const bool is_registry_;
  PartialBlob& blob_;
  Backoff backoff_;
  SpareConnections spare_;
  uint64_t counted_;
  bool was_missing_ = false, decodes_ = false, may_split_;
};

Exchange Registry::Fetch::send(BlobSink& sink) {
  Request request;
  request.url = url_;
  request.sink = &sink;
  request.decodes = decodes_;
  if (blob_.size() != 0)
    request.headers.push_back("Range: bytes=" + std::to_string(blob_.size()) + "-");
  return is_registry_ ? registry_.send(request, registry_.scopes("pull"), Repeats::no)
                      : registry_.http_.send(request);
}

Result<> Registry::Fetch::run() {
  while (!blob_.is_complete()) {
    if (decodes_ && blob_.size() != 0) TRY(blob_.restart());  // its ranges are not the blob's
    BlobSink sink(blob_, {decodes_, may_split_ && !decodes_ ? &spare_ : nullptr});
    const Exchange exchange = send(sink);
    if (sink.is_wrapped(exchange)) {
      decodes_ = true;
      TRY(blob_.restart());
    } else if (sink.slow_rate() != 0) {
      const uint64_t part = std::clamp(sink.slow_rate() * 2, kSmallestPart, kLargestPart);
      may_split_ = registry_.fetch_parts(url_, blob_, part, spare_.count());
      spare_.give_back();
    } else if (!blob_.is_complete()) {
      TRY(broken(exchange));
    }
  }
  return {};
}

// Returns when it is time for another try.
Result<> Registry::Fetch::broken(const Exchange& exchange) {
  if (blob_.size() >= counted_ + kProgress) {
    counted_ = blob_.size();
    backoff_.restart();
  }
  const long status = exchange.status();
  if (status == 404 && is_registry_ && !was_missing_) {
    was_missing_ = true;  // registries of several machines agree only after a while
    registry_.access_.clock().sleep(
        1000, blob_.descriptor().digest.text() + ": not found in the registry, try 2 of 2");
    return {};
  }
  const bool is_short = status == 200 || status == 206;  // it ended without an error
  if (status == 416) TRY(blob_.restart());
  const bool goes_on = is_short || status == 416 || is_worth_another_try(exchange);
  if (goes_on && backoff_.wait(exchange)) return {};
  const std::string& subject = blob_.descriptor().digest.text();
  if (!is_short) return registry_.error_of(exchange, subject);
  registry_.failing_ = Failing::registry;
  return make_error(ErrorKind::invalid_config, subject, ": the registry sent ", blob_.size(),
                    " bytes instead of the ", blob_.descriptor().size, " of its descriptor");
}

// Proxies that refuse HEAD are asked for the first byte.
Result<bool> Registry::has(const Descriptor& blob) {
  Request request;
  request.method = "HEAD";
  request.url = TRY(address("/blobs/" + blob.digest.text()));
  Exchange exchange = send(request, scopes("pull,push"), Repeats::yes);
  if (exchange.status() == 405 || exchange.status() == 501) {
    request.method = "GET";
    request.headers = {"Range: bytes=0-0"};
    request.wants_body = false;
    exchange = send(request, scopes("pull,push"), Repeats::yes);
  }
  if (exchange.status() == 404) return false;
  if (!exchange.is_success()) return error_of(exchange, blob.digest.text());
  return true;
}

Result<> Registry::fetch(PartialBlob& blob) {
  const Url url = TRY(address("/blobs/" + blob.descriptor().digest.text()));
  const Result<> fetched = Fetch(*this, url, true, blob).run();
  return fetched || blob.descriptor().urls.empty() ? fetched : fetch_foreign(blob, fetched.error());
}

Result<> Registry::fetch_foreign(PartialBlob& blob, const Error& refusal) {
  const Url base = TRY(access_.base(http_));
  Error last = refusal;
  for (const std::string& text : blob.descriptor().urls) {
    const Result<Url> url = parse_url(text);
    if (!url) {
      last = url.error();
    } else if (is_internal(url.value().host) && url.value().host != base.host) {
      last =
          make_error(ErrorKind::invalid_config, blob.descriptor().digest.text(),
                     ": the manifest refers to the internal address ", without_query(url.value()));
    } else {
      const Result<> fetched = Fetch(*this, url.value(), false, blob).run();
      if (fetched) return fetched;
      last = fetched.error();
    }
  }
  return last;
}

}  // namespace onggi::image
