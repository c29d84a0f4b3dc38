// SPDX-License-Identifier: Apache-2.0
// Pauses double, with some chance in them, so that many clients that were stopped together do not
// come back together.
#include "registry/retry.h"

#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "model/json.h"
#include "process/random.h"

#include <time.h>

#include <algorithm>
#include <iterator>

namespace onggi::image {

namespace {

// Milliseconds.
constexpr int64_t kFirstPause = 2000, kLongestPause = 60'000;

struct Limits {
  int tries;
  int64_t longest_retry_after;  // milliseconds
};
constexpr Limits limits_of(Patience patience) {
  return patience == Patience::full ? Limits{5, 5 * kLongestPause} : Limits{2, 5000};
}

constexpr long kTransient[] = {408, 429, 500, 502, 503, 504, 522};

// IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<int64_t> parse_http_date(const std::string& text) {
  tm parts = {};
  const char* end = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != 0) return std::nullopt;
  return timegm(&parts);
}

std::optional<int64_t> retry_after(const Response& response, Clock& clock) {
  const std::string* field = response.header("retry-after");
  if (field == nullptr) return std::nullopt;
  if (const auto seconds = parse_decimal<uint32_t>(*field)) return int64_t{*seconds} * 1000;
  const auto date = parse_http_date(*field);
  if (!date) return std::nullopt;
  return std::max<int64_t>(*date - clock.unix_seconds(), 0) * 1000;
}

struct StatusText {
  long status;
  std::string_view text;
};
constexpr StatusText kStatuses[] = {
    {401, "the registry rejected the credentials"},
    {403, "the registry denied access"},
    {404, "not found in the registry"},
    {413, "too large for the registry"},
    {429, "too many requests to the registry"},
};

// "MANIFEST_UNKNOWN: manifest unknown"; empty if the body has no such thing.
std::string said_by_registry(const Response& response) {
  rapidjson::Document json;
  if (!parse_json_object(response.body, "error", 64u << 10, json)) return {};
  const rapidjson::Value* errors = member_of(json, "errors");
  const bool has_one = errors != nullptr && errors->IsArray() && !errors->Empty();
  const rapidjson::Value& first = has_one ? (*errors)[0] : json;
  std::string text(text_member(first, "code"));
  const std::string_view message = text_member(first, "message");
  if (!text.empty() && !message.empty()) text += ": ";
  return printable(text.append(message).substr(0, 200));
}

}  // namespace

bool is_worth_another_try(const Exchange& exchange) {
  if (exchange.failure != Failure::none) return exchange.failure == Failure::transient;
  return std::ranges::find(kTransient, exchange.response.status) != std::end(kTransient);
}

bool Backoff::wait(const Exchange& exchange) {
  const Limits limits = limits_of(patience_);
  const std::optional<int64_t> wanted = retry_after(exchange.response, clock_);
  if (tries_ == limits.tries || wanted > limits.longest_retry_after) return false;
  int64_t pause = kFirstPause << (tries_ - 1);
  const auto chance = static_cast<int64_t>(random_number() >> 1);
  pause += chance % (pause / 4);
  pause = std::min(wanted.value_or(pause), kLongestPause);
  const std::string url = without_query(exchange.response.url);
  ++tries_;
  const auto reason = text<1024>(exchange_error(exchange, url).message.view(), ", try ", tries_,
                                 " of ", limits.tries);
  clock_.sleep(pause, reason.view());
  return true;
}

Exchange send_with_retries(Http& http, Clock& clock, const Request& request, Patience patience) {
  Backoff backoff(clock, patience);
  while (true) {
    Exchange exchange = http.send(request);
    if (!is_worth_another_try(exchange) || !backoff.wait(exchange)) return exchange;
  }
}

Error status_error(const Response& response, std::string_view subject) {
  const auto* known = std::ranges::find(kStatuses, response.status, &StatusText::status);
  Error error = make_error(ErrorKind::state, subject, ": ");
  if (response.is_foreign) {
    error.message.append("the registry redirected to ", without_query(response.url),
                         ", which answered with status ", response.status);
  } else if (known != std::end(kStatuses)) {
    error.message.append(known->text);
  } else {
    error.message.append("the registry answered with status ", response.status);
  }
  if (const std::string said = said_by_registry(response); !said.empty())
    error.message.append(" (", said, ")");
  if (const std::string* later = response.header("retry-after"); later != nullptr) {
    const bool is_seconds = parse_decimal<uint32_t>(*later).has_value();
    error.message.append(", Retry-After: ", printable(later->substr(0, 40)),
                         is_seconds ? " s" : "");
  }
  return error;
}

Error exchange_error(const Exchange& exchange, std::string_view subject) {
  return exchange.failure == Failure::none ? status_error(exchange.response, subject)
                                           : exchange.error;
}

Result<> check_announced_digest(const Response& response, const Digest& digest,
                                std::string_view subject) {
  const std::string* field = response.header("docker-content-digest");
  if (field == nullptr) return {};
  const Digest announced = TRY_AT(subject, Digest::parse(*field));
  if (announced == digest || announced.algorithm() != digest.algorithm()) return {};
  return make_error(ErrorKind::invalid_config, subject, ": the registry announced ",
                    announced.text(), ", but the content has ", digest.text());
}

}  // namespace onggi::image
