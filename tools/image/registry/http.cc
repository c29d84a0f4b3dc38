// SPDX-License-Identifier: Apache-2.0
// The only user of libcurl's transfers. Callbacks turn to Results here: what they return to libcurl
// only says that a transfer is to end, the reason is in Transfer.
#include "registry/http.h"

#include "base/utf8.h"
#include "registry/challenge.h"

#include <curl/curl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace onggi::image {

namespace {

constexpr int kMostRedirects = 10;
constexpr int64_t kSlowestBytes = 1024;  // a second
// An answer that is to be held in memory has a time in which it must be there: above the slowest
// speed, 4 MiB could take more than an hour.
constexpr long kMemorySeconds = 300;
// Behind the last byte of an upload, registries take their time: they hash and copy all of it.
constexpr long kAnswerFactor = 10;  // so many times longer than for bytes
constexpr size_t kMostHeaderBytes = 256u << 10;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() <= ' ')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

struct FailureRow {
  CURLcode code;
  Failure failure;
};
constexpr FailureRow kFailures[] = {
    {CURLE_SEND_ERROR, Failure::transient},
    {CURLE_RECV_ERROR, Failure::transient},
    {CURLE_GOT_NOTHING, Failure::transient},
    {CURLE_PARTIAL_FILE, Failure::transient},
    {CURLE_HTTP2, Failure::transient},
    {CURLE_HTTP2_STREAM, Failure::transient},
    {CURLE_OPERATION_TIMEDOUT, Failure::transient},
    {CURLE_COULDNT_RESOLVE_HOST, Failure::unreachable},
    {CURLE_COULDNT_CONNECT, Failure::unreachable},
    {CURLE_SSL_CONNECT_ERROR, Failure::not_tls},
};

Failure failure_of(CURLcode code) {
  const auto* row = std::ranges::find(kFailures, code, &FailureRow::code);
  return row == std::end(kFailures) ? Failure::fatal : row->failure;
}

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// 307 and 308 keep method and body; the others would turn an upload into a GET.
bool may_redirect(const Request& request, long status) {
  const std::string_view method = request.method;
  return request.follows && is_redirect(status) &&
         (method == "GET" || method == "HEAD" || status == 307 || status == 308);
}

// Whether a transfer stands still: less than the slowest speed over so many seconds. libcurl's own
// limit is one for all of a transfer, and the end of an upload has another than its bytes.
class Pace {
 public:
  bool is_too_slow(int64_t bytes, long seconds) {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const int64_t time = now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
    if (seconds != seconds_ || bytes - bytes_ >= kSlowestBytes * seconds) {
      start_ = time;
      bytes_ = bytes;
      seconds_ = seconds;
    }
    return time - start_ >= seconds * int64_t{1000};
  }

 private:
  int64_t start_ = 0;  // milliseconds
  int64_t bytes_ = 0;  // until then
  long seconds_ = 0;
};

}  // namespace

Exchange failed_exchange(const Error& error, Failure failure) {
  Exchange exchange;
  exchange.failure = failure;
  exchange.error = error;
  return exchange;
}

const std::string* Response::header(std::string_view name) const {
  const auto found = std::ranges::find(headers, name, &Header::name);
  return found == headers.end() ? nullptr : &found->value;
}

HttpLibrary::HttpLibrary() {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) abort();  // out of memory
}
HttpLibrary::~HttpLibrary() {
  curl_global_cleanup();
}

// What the callbacks of one transfer work on.
struct Http::Transfer {
  const Request& request;
  const long stall_seconds;
  Response response = {};
  std::optional<Error> error = {};   // why a callback ended it
  Failure failure = Failure::fatal;  // with `error`
  bool is_cut = false;               // ended by us with all that is wanted
  bool is_connected = false;
  Pace pace = {};
  size_t header_bytes = 0;
  uint64_t sent = 0;
  std::unique_ptr<curl_slist, FreeList> headers = {};
  char message[CURL_ERROR_SIZE] = {};

  bool is_success() const { return response.status >= 200 && response.status < 300; }
  size_t end(const Error& why) {
    error = why;
    return 0;
  }

  static size_t take_header(char* bytes, size_t, size_t size, void* self) {
    return static_cast<Transfer*>(self)->add_header({bytes, size});
  }
  static size_t take_body(char* bytes, size_t, size_t size, void* self) {
    return static_cast<Transfer*>(self)->add_body({bytes, size});
  }
  static size_t give_body(char* to, size_t, size_t size, void* self) {
    return static_cast<Transfer*>(self)->next_bytes(to, size);
  }
  static int rewind_body(void* self, curl_off_t offset, int origin) {
    static_cast<Transfer*>(self)->sent = static_cast<uint64_t>(offset);
    return origin == SEEK_SET ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
  }

  static int take_connection(void* self, char*, char*, int, int) {
    static_cast<Transfer*>(self)->is_connected = true;
    return CURL_PREREQFUNC_OK;
  }
  static int check_pace(void* self, curl_off_t, curl_off_t got, curl_off_t, curl_off_t sent) {
    return static_cast<Transfer*>(self)->is_stalled(got, sent) ? 1 : 0;
  }

  bool is_stalled(int64_t got, int64_t sent_on) {
    if (!is_connected) return false;  // that has a time of its own
    const std::string_view method = request.method;
    const bool is_taken = (method == "PUT" || method == "PATCH") && request.body && got == 0 &&
                          sent_on >= static_cast<int64_t>(request.body->size);
    const long seconds = is_taken ? stall_seconds * kAnswerFactor : stall_seconds;
    if (!pace.is_too_slow(got + sent_on, seconds)) return false;
    failure = Failure::transient;
    error = make_error(ErrorKind::state, method, " ", without_query(request.url));
    if (is_taken) {
      error->message.append(": no answer within ", seconds, " seconds");
    } else {
      error->message.append(": too slow, less than ", kSlowestBytes * seconds, " bytes in ",
                            seconds, " seconds");
      error->hint.append("use --stall-timeout SECONDS before the command to wait longer");
    }
    return true;
  }

  size_t add_header(std::string_view line) {
    header_bytes += line.size();
    if (header_bytes > kMostHeaderBytes)
      return end(make_error(ErrorKind::invalid_config, "the header of the answer is incomplete"));
    const size_t size = line.size();
    if (line.starts_with("HTTP/")) {  // also after "100 Continue"
      response.headers.clear();
      const size_t blank = std::min(line.find(' '), line.size() - 1);
      response.status = parse_decimal<long>(line.substr(blank + 1, 3)).value_or(0);
      return size;
    }
    line = trimmed(line);
    if (line.empty()) return end_of_headers() ? size : 0;
    const size_t colon = line.find(':');
    if (colon == line.npos) return size;
    response.headers.push_back(
        {lower_case(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1)))});
    return size;
  }

  bool end_of_headers() {
    // A 416 may announce the length of the whole file and then send less: nobody waits for it.
    if (response.status == 416 || (is_success() && !request.wants_body)) is_cut = true;
    if (is_cut) return false;
    if (!is_success() || request.sink == nullptr) return true;
    const Result<> opened = request.sink->open(response);
    if (!opened) error = opened.error();
    is_cut = opened && request.sink->is_done();
    return opened && !is_cut;
  }

  size_t add_body(std::string_view bytes) {
    if (is_success() && request.sink != nullptr) {
      const Result<> written = request.sink->write(bytes);
      if (!written) return end(written.error());
      is_cut = request.sink->is_done();
      return is_cut ? 0 : bytes.size();
    }
    if (response.body.size() + bytes.size() <= request.limit) {
      response.body.append(bytes);
      return bytes.size();
    }
    if (is_success()) {
      return end(make_error(ErrorKind::invalid_config, "the answer is larger than ", request.limit,
                            " bytes"));
    }
    is_cut = true;
    return 0;
  }

  size_t next_bytes(char* to, size_t size) {
    const Body& body = *request.body;
    auto count = static_cast<size_t>(std::min<uint64_t>(size, body.size - sent));
    const uint64_t place = body.offset + sent;
    if (body.file < 0) {
      memcpy(to, body.text.data() + place, count);
    } else if (count != 0) {
      const ssize_t got = pread(body.file, to, count, static_cast<off_t>(place));
      if (got <= 0) {
        error = system_error(got < 0 ? -errno : -EIO, "read");
        return CURL_READFUNC_ABORT;
      }
      count = static_cast<size_t>(got);
    }
    sent += count;
    if (body.done != nullptr) *body.done = body.offset + sent;
    return count;
  }
};

Http::Http(const HttpOptions& options) : options_(options), easy_(curl_easy_init()) {
  if (easy_ == nullptr) abort();  // out of memory
}
Http::~Http() {
  curl_easy_cleanup(easy_);
}

Exchange Http::send(const Request& request) {
  Request hop = request;
  for (int redirects = 0;; ++redirects) {
    Exchange exchange = send_once(hop);
    const Response& response = exchange.response;
    exchange.response.is_foreign = !hop.url.same_origin(request.url);
    const std::string* location = response.header("location");
    if (exchange.failure != Failure::none || location == nullptr ||
        !may_redirect(request, response.status))
      return exchange;
    const Result<Url> target = resolve_url(hop.url, *location);
    if (!target) return failed_exchange(target.error());
    if (redirects == kMostRedirects) {
      return failed_exchange(make_error(ErrorKind::invalid_config, without_query(request.url),
                                        ": more than ", kMostRedirects, " redirects"));
    }
    if (hop.url.scheme == "https" && target.value().scheme != "https") {
      return failed_exchange(make_error(ErrorKind::invalid_config, without_query(hop.url),
                                        ": refusing the redirect from https to ",
                                        without_query(target.value())));
    }
    // Never given back: a server on the way could send us to any address of the first one.
    if (!target.value().same_origin(hop.url)) hop.authorization.clear();
    hop.url = target.value();
  }
}

// 502 to 504: it has not reached the server.
static Exchange refused_by_proxy(const std::string& subject, long status) {
  const Error error =
      make_error(ErrorKind::state, subject, "the proxy answered with status ", status);
  if (status >= 502 && status <= 504) return failed_exchange(error, Failure::unreachable);
  return failed_exchange(
      status == 407 ? with_hint(error, "HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT") : error);
}

Exchange Http::send_once(const Request& request) {
  Transfer transfer{request, options_.stall_seconds};
  transfer.response.url = request.url;
  if (const Result<> prepared = prepare(request, transfer); !prepared)
    return failed_exchange(prepared.error());
  const CURLcode code = curl_easy_perform(easy_);
  Exchange exchange;
  exchange.response = std::move(transfer.response);
  if (code == CURLE_OK || transfer.is_cut) return exchange;
  const std::string subject = std::string(request.method) + " " + without_query(request.url) + ": ";
  long proxy_status = 0;
  (void)curl_easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (!transfer.error && proxy_status >= 400) return refused_by_proxy(subject, proxy_status);
  exchange.failure = transfer.error ? transfer.failure : failure_of(code);
  if (transfer.error) {
    exchange.error = *transfer.error;
    return exchange;
  }
  exchange.error =
      make_error(ErrorKind::system, subject,
                 printable(transfer.message[0] != 0 ? transfer.message : curl_easy_strerror(code)));
  if (code == CURLE_PEER_FAILED_VERIFICATION) {
    exchange.error.hint.append("put the CA certificate into /etc/containers/certs.d/",
                               request.url.host, ":", request.url.port, "/ca.crt");
  }
  return exchange;
}

Result<> Http::prepare(const Request& request, Transfer& transfer) {
  const auto set = [this](CURLoption option, auto value) {
    (void)curl_easy_setopt(easy_, option, value);
  };
  curl_easy_reset(easy_);  // options only: connections stay
  set(CURLOPT_URL, request.url.text.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set(CURLOPT_USERAGENT, "onggi-image");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);  // a proxy's answer is not the registry's
  // HTTPS_PROXY, http_proxy and NO_PROXY of libcurl-env(3) hold for all hosts but this one: what
  // goes over the loopback in the clear would go over the network.
  if (is_loopback(request.url.host)) set(CURLOPT_PROXY, "");
  set(CURLOPT_CONNECTTIMEOUT, options_.connect_seconds);
  set(CURLOPT_PREREQFUNCTION, &Transfer::take_connection);
  set(CURLOPT_PREREQDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::check_pace);
  set(CURLOPT_XFERINFODATA, &transfer);
  const bool is_upload = request.body && request.body->file >= 0;
  if (request.sink == nullptr && !is_upload)
    set(CURLOPT_TIMEOUT, std::max(kMemorySeconds, options_.stall_seconds * kAnswerFactor));
  set(CURLOPT_BUFFERSIZE, 512L * 1024);
  set(CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_ERRORBUFFER, transfer.message);
  set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  set(CURLOPT_WRITEDATA, &transfer);
  set_body(request, transfer);
  const auto add_header = [&](const std::string& line) {
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), line.c_str()));
  };
  for (const std::string& line : request.headers) add_header(line);
  if (!request.authorization.empty()) add_header("Authorization: " + request.authorization);
  if (request.sink == nullptr || request.decodes) {
    set(CURLOPT_ACCEPT_ENCODING, "");  // undo whatever is known
    add_header("Accept-Encoding:");    // and still do not ask for it
  }
  // Many registries never answer "100-continue", and each upload would wait a second for it.
  add_header("Expect:");
  set(CURLOPT_HTTPHEADER, transfer.headers.get());
  return set_certificates(request.url);
}

void Http::set_body(const Request& request, Transfer& transfer) {
  const std::string_view method = request.method;
  if (method == "HEAD") {
    (void)curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  if (!request.body) {
    (void)curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method);
    return;
  }
  (void)curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
  (void)curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method);
  (void)curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::give_body);
  (void)curl_easy_setopt(easy_, CURLOPT_READDATA, &transfer);
  (void)curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::rewind_body);
  (void)curl_easy_setopt(easy_, CURLOPT_SEEKDATA, &transfer);
  (void)curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE,
                         static_cast<curl_off_t>(request.body->size));
}

Result<> Http::set_certificates(const Url& url) {
  if (url.scheme != "https") return {};
  if (!options_.checks_certificates) {
    (void)curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYPEER, 0L);
    (void)curl_easy_setopt(easy_, CURLOPT_SSL_VERIFYHOST, 0L);
  }
  auto [at, is_new] = certificates_.try_emplace(url.host + ":" + url.port);
  Certificates& found = at->second;
  if (is_new) {
    found = TRY(find_certificates(options_.certificate_directories, url.host, url.port));
  }
  // With its own authorities, libcurl looks no more at the default file, but still at the default
  // directory, where Debian has the same.
  if (!found.authorities.empty()) {
    curl_blob blob = {found.authorities.data(), found.authorities.size(), CURL_BLOB_NOCOPY};
    (void)curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &blob);
  } else if (const char* file = getenv("SSL_CERT_FILE"); file != nullptr && *file != 0) {
    (void)curl_easy_setopt(easy_, CURLOPT_CAINFO, file);
  }
  if (!found.certificate.empty()) {
    (void)curl_easy_setopt(easy_, CURLOPT_SSLCERT, found.certificate.c_str());
    (void)curl_easy_setopt(easy_, CURLOPT_SSLKEY, found.key.c_str());
  }
  return {};
}

}  // namespace onggi::image
