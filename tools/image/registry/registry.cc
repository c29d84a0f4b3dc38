// SPDX-License-Identifier: Apache-2.0
// Requests with authorization and retries; lists in pages, of which the tags' is one.
#include "registry/registry.h"

#include "model/json.h"
#include "registry/retry.h"

namespace onggi::image {

namespace {

constexpr size_t kTagsLimit = 16u << 20;  // of one page
constexpr int kMostPages = 10'000;

}  // namespace

Result<Url> Registry::address(std::string_view path) {
  failing_ = Failing::registry;
  const Url base = TRY(access_.base(http_));
  failing_ = Failing::us;
  return parse_url(base.text + access_.image().repository + std::string(path));
}

Scopes Registry::scopes(std::string_view actions) const {
  return {"repository:" + access_.image().repository + ":" + std::string(actions)};
}

std::string Registry::subject_of(const std::string& version) const {
  Reference image = access_.image();
  image.tag.clear();
  image.digest.clear();
  (version.find(':') != version.npos ? image.digest : image.tag) = version;
  return to_text(image);
}

Exchange Registry::send(Request request, const Scopes& scopes, Repeats repeats) {
  Backoff backoff = access_.backoff();
  bool is_renewed = false;
  while (true) {
    const Result<std::string> authorization = access_.authorization(http_, scopes);
    if (!authorization) {
      failing_ = Failing::registry;
      return failed_exchange(authorization.error());
    }
    request.authorization = authorization.value();
    Exchange exchange = http_.send(request);
    if (exchange.status() == 401 && exchange.response.is_foreign && !request.body)
      exchange = send_as_anybody(request, std::move(exchange));
    // It has answered before, so it is away for a moment.
    const bool is_away =
        exchange.failure == Failure::unreachable || exchange.failure == Failure::not_tls;
    if (is_away && !exchange.response.is_foreign) exchange.failure = Failure::transient;
    access_.show_warnings(exchange.response);
    if (exchange.status() == 401 && !exchange.response.is_foreign && !is_renewed) {
      const Result<> refused = access_.refused(exchange.response, request.authorization, scopes);
      if (!refused) {
        failing_ = Failing::registry;
        return failed_exchange(refused.error());
      }
      is_renewed = true;
    } else if (repeats == Repeats::no || !is_worth_another_try(exchange) ||
               !backoff.wait(exchange)) {
      return exchange;
    }
  }
}

// Where a redirect led to a server that wants a token of its own. The redirect is not asked for
// again: what it leads to is good for a while, and this is at once.
Exchange Registry::send_as_anybody(Request request, Exchange refused) {
  const Result<std::string> authorization = access_.for_anybody(http_, refused.response);
  if (!authorization) return failed_exchange(authorization.error());
  if (authorization.value().empty()) return refused;
  request.url = refused.response.url;
  request.authorization = authorization.value();
  Exchange exchange = http_.send(request);
  exchange.response.is_foreign = true;
  return exchange;
}

Result<> Registry::check_credentials() {
  Request request;
  request.url = TRY(access_.base(http_));
  const Exchange exchange = send(request, {}, Repeats::yes);
  if (exchange.is_success()) return {};
  return error_of(exchange, access_.image().registry);
}

Error Registry::error_of(const Exchange& exchange, std::string_view subject) {
  const Error error = exchange_error(exchange, subject);
  if (exchange.status() == 404) {
    failing_ = Failing::content;
  } else if (exchange.failure != Failure::fatal) {
    failing_ = Failing::registry;
  }
  const bool is_denied = exchange.status() == 401 || exchange.status() == 403;
  if (!is_denied || exchange.response.is_foreign) return error;
  return access_.with_login_hint(error);
}

Exchange Registry::next(Pages& pages) {
  if (++pages.count > kMostPages) {
    return failed_exchange(
        make_error(ErrorKind::invalid_config, pages.subject, ": the list does not end"));
  }
  Exchange exchange = send(pages.request, scopes("pull"), Repeats::yes);
  const std::string* link = exchange.response.header("link");
  const auto following = link == nullptr ? std::nullopt : next_link(*link);
  pages.is_last = !exchange.is_success() || !following;
  if (pages.is_last) return exchange;
  const Result<Url> target = resolve_url(pages.request.url, *following);
  if (!target) return failed_exchange(target.error());
  if (!target.value().same_origin(pages.request.url)) {
    return failed_exchange(make_error(ErrorKind::invalid_config, pages.subject,
                                      ": the list continues at ", without_query(target.value()),
                                      ", a different server"));
  }
  pages.request.url = target.value();
  return exchange;
}

Result<std::vector<std::string>> Registry::tags() {
  Pages pages;
  pages.subject = access_.image().registry + "/" + access_.image().repository;
  pages.request.url = TRY(address("/tags/list"));
  pages.request.limit = kTagsLimit;
  std::vector<std::string> names;
  while (!pages.is_last) {
    const Exchange exchange = next(pages);
    if (!exchange.is_success()) return error_of(exchange, pages.subject);
    rapidjson::Document json;
    TRY_AT(pages.subject,
           parse_json_object(exchange.response.body, "the list of tags", kTagsLimit, json));
    const rapidjson::Value* tags = member_of(json, "tags");
    if (tags == nullptr || !tags->IsArray()) continue;
    for (const auto& tag : tags->GetArray()) {
      if (tag.IsString()) names.emplace_back(tag.GetString(), tag.GetStringLength());
    }
  }
  return names;
}

}  // namespace onggi::image
