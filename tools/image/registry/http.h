// SPDX-License-Identifier: Apache-2.0
// Requests over HTTP/1.1 and HTTP/2 by libcurl, one at a time on a connection that stays open. A
// body goes to memory up to a limit, or to a sink, which holds the server back while it is busy.
// Redirects are followed here and not by libcurl, so that it can be seen who gets credentials.
#pragma once

#include "registry/certificates.h"
#include "registry/url.h"

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct Header {
  std::string name;  // in lower case
  std::string value;
};

struct Response {
  long status = 0;
  Url url;                  // that has answered, after redirects
  bool is_foreign = false;  // of another origin than was asked
  std::vector<Header> headers;
  std::string body;  // what no sink took

  // The first such field, or nothing.
  const std::string* header(std::string_view name) const;
};

// Takes the body of an answer with status 2xx. An error ends the transfer and is what send()
// returns.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual Result<> open(const Response& head) = 0;
  virtual Result<> write(std::string_view bytes) = 0;
  // After each of them: true ends the transfer without an error.
  virtual bool is_done() const { return false; }
};

// Part of a file, or bytes in memory. Can be sent again from its start.
struct Body {
  int file = -1;
  uint64_t offset = 0, size = 0;          // in the file
  std::string_view text;                  // where there is no file; `offset` is a place in it then
  std::atomic<uint64_t>* done = nullptr;  // is kept at the place that has been read up to
  static Body of_text(std::string_view text) { return {-1, 0, text.size(), text}; }
  Body part(uint64_t start, uint64_t count) const {
    Body rest = *this;
    rest.offset += start;
    rest.size = count;
    return rest;
  }
};

struct Request {
  const char* method = "GET";
  Url url;
  std::vector<std::string> headers = {};  // "Accept: text/plain"; sent to redirects' targets too
  std::string authorization = {};         // sent to the origin of `url` alone
  std::optional<Body> body = {};
  size_t limit = 64u << 10;  // of a body in memory; more of a 2xx is an error, else cut off
  Sink* sink = nullptr;
  bool wants_body = true;  // else the transfer ends behind the header
  bool follows = true;     // redirects
  // Undo Content-Encoding for the sink; what goes to memory always comes without it. It is never
  // asked for.
  bool decodes = false;
};

enum class Failure : uint8_t {
  none,
  transient,    // the connection broke or stood still: worth another try
  unreachable,  // no connection came about
  not_tls,      // a connection, but the server does not speak TLS
  fatal,        // whatever else; also the sink's error
};

// What came of a request. An HTTP status, whichever it is, is not a failure.
struct [[nodiscard]] Exchange {
  Failure failure = Failure::none;
  Error error;  // unless `failure` is none
  Response response;

  long status() const { return failure == Failure::none ? response.status : 0; }
  bool is_success() const { return status() >= 200 && status() < 300; }
};
// None came about, for a reason that no other try removes.
Exchange failed_exchange(const Error& error, Failure failure = Failure::fatal);

inline constexpr long kStallSeconds = 30;

struct HttpOptions {
  std::vector<std::string> certificate_directories = image::certificate_directories();
  long stall_seconds = kStallSeconds;  // a transfer below 1 KiB a second for so long is broken off
  long connect_seconds = 30;
  bool checks_certificates = true;
};

// To be held by the main thread around all use of Http.
class HttpLibrary {
 public:
  HttpLibrary();
  ~HttpLibrary();
  HttpLibrary(const HttpLibrary&) = delete;
  HttpLibrary& operator=(const HttpLibrary&) = delete;
};

// For one thread.
class Http {
 public:
  explicit Http(const HttpOptions& options);
  ~Http();
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  Exchange send(const Request& request);

 private:
  struct Transfer;
  Exchange send_once(const Request& request);
  Result<> prepare(const Request& request, Transfer& transfer);
  Result<> set_certificates(const Url& url);
  void set_body(const Request& request, Transfer& transfer);

  HttpOptions options_;
  void* easy_;                                        // CURL
  std::map<std::string, Certificates> certificates_;  // by "host:port"
};

}  // namespace onggi::image
