// SPDX-License-Identifier: Apache-2.0
// Blobs from a registry. A transfer that breaks goes on behind what has come, always from the
// registry's own address: what it redirects to is presigned and expires.
#include "base/utf8.h"
#include "registry/registry.h"
#include "registry/retry.h"

namespace onggi::image {

namespace {

// So much must have come before a broken transfer gets all of its tries again; with less, a server
// that sends a byte at a time could go on for ever.
constexpr uint64_t kProgress = 1u << 20;

// Into the file, at the place where it ends.
class BlobSink : public Sink {
 public:
  explicit BlobSink(PartialBlob& blob) : blob_(blob) {}

  Result<> open(const Response& head) override {
    if (head.status == 206) return check_range(head);
    if (head.status != 200) return status_error(head, subject());
    if (blob_.size() != 0) TRY(blob_.restart());  // a server without ranges
    const std::string* length = head.header("content-length");
    if (length == nullptr || parse_decimal<uint64_t>(*length) == blob_.descriptor().size) return {};
    return make_error(ErrorKind::invalid_config, subject(), ": the registry sends ",
                      printable(*length), " bytes instead of the ", blob_.descriptor().size,
                      " of its descriptor");
  }

  Result<> write(std::string_view bytes) override { return blob_.append(bytes); }

 private:
  const std::string& subject() const { return blob_.descriptor().digest.text(); }

  // "bytes 100-199/200"
  Result<> check_range(const Response& head) const {
    const uint64_t size = blob_.descriptor().size;
    const auto expected = text<96>("bytes ", blob_.size(), "-", size - 1, "/", size);
    const std::string* range = head.header("content-range");
    if (range != nullptr && *range == expected.view()) return {};
    return make_error(ErrorKind::invalid_config, subject(), ": asked for ", expected.view(),
                      ", the registry sends ", range == nullptr ? "no range" : printable(*range));
  }

  PartialBlob& blob_;
};

}  // namespace

Exchange Registry::fetch_rest(const Url& url, bool is_registry, PartialBlob& blob) {
  BlobSink sink(blob);
  Request request;
  request.url = url;
  request.sink = &sink;
  if (blob.size() != 0)
    request.headers.push_back("Range: bytes=" + std::to_string(blob.size()) + "-");
  return is_registry ? send(request, scopes("pull"), Repeats::no) : http_.send(request);
}

Result<> Registry::fetch_from(const Url& url, bool is_registry, PartialBlob& blob) {
  Backoff backoff(access_.clock());
  uint64_t counted = blob.size();
  bool was_missing = false;
  while (!blob.is_complete()) {
    const Exchange exchange = fetch_rest(url, is_registry, blob);
    if (blob.is_complete()) break;
    if (blob.size() >= counted + kProgress) {
      counted = blob.size();
      backoff.restart();
    }
    const long status = exchange.status();
    if (status == 404 && is_registry && !was_missing) {
      was_missing = true;  // registries of several machines agree only after a while
      access_.clock().sleep(1000);
      continue;
    }
    const bool is_short = status == 200 || status == 206;  // it ended without an error
    if (status == 416) TRY(blob.restart());
    const bool goes_on = is_short || status == 416 || is_worth_another_try(exchange);
    if (goes_on && backoff.wait(exchange)) continue;
    const std::string& subject = blob.descriptor().digest.text();
    if (!is_short) return error_of(exchange, subject);
    return make_error(ErrorKind::invalid_config, subject, ": the registry sends ", blob.size(),
                      " bytes instead of the ", blob.descriptor().size, " of its descriptor");
  }
  return {};
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
  const Result<> fetched = fetch_from(url, true, blob);
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
      last = make_error(ErrorKind::invalid_config, blob.descriptor().digest.text(),
                        ": the manifest sends us to the internal address ",
                        without_query(url.value()));
    } else {
      const Result<> fetched = fetch_from(url.value(), false, blob);
      if (fetched) return fetched;
      last = fetched.error();
    }
  }
  return last;
}

}  // namespace onggi::image
