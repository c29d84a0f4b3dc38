// SPDX-License-Identifier: Apache-2.0
// The realm of a challenge is the server's choice, and so an attack on whoever has credentials: it
// is asked by https alone, and not inside of the network that we are in (see check_realm).
#include "registry/access.h"

#include "base/log.h"
#include "base/split.h"
#include "base/utf8.h"
#include "model/base64.h"
#include "model/json.h"

#include <algorithm>

namespace onggi::image {

namespace {

constexpr int64_t kShortestLife = 60'000;  // of a token, in milliseconds: docker's rule
constexpr int64_t kSpareTime = 5'000;      // for the request that it is used in
constexpr int kMostRealmRedirects = 5;
constexpr size_t kMostWarnings = 100;
constexpr std::string_view kClientName = "onggi-image";

const Challenge* find_scheme(const std::vector<Challenge>& challenges, std::string_view scheme) {
  const auto found = std::ranges::find(challenges, scheme, &Challenge::scheme);
  return found == challenges.end() ? nullptr : &*found;
}

bool is_redirect(const Response& response) {
  return response.status >= 301 && response.status <= 308 && response.header("location") != nullptr;
}

// Those that the server misses come first: some token servers read only one.
Scopes joined(Scopes wanted, const Scopes& scopes) {
  for (const std::string& scope : scopes) {
    if (std::ranges::find(wanted, scope) == wanted.end()) wanted.push_back(scope);
  }
  return wanted;
}

std::optional<Challenge> challenge_of(const Response& response) {
  std::vector<Challenge> challenges;
  for (const Header& header : response.headers) {
    if (header.name != "www-authenticate") continue;
    for (Challenge& challenge : parse_challenges(header.value))
      challenges.push_back(std::move(challenge));
  }
  const Challenge* chosen = find_scheme(challenges, "bearer");
  if (chosen == nullptr) chosen = find_scheme(challenges, "basic");
  return chosen == nullptr ? std::nullopt : std::optional(*chosen);
}

Scopes scopes_of(const Challenge& challenge) {
  Scopes scopes;
  for (const std::string_view scope : words_of(challenge.parameter("scope")))
    scopes.emplace_back(scope);
  return scopes;
}

// An https server's realm speaks https. Literal addresses of loopback, link and private networks
// are refused unless they are the server's own host: what answers there (cloud metadata, an
// administrator's page) trusts whoever asks from here.
Result<> check_realm(const Url& realm, const Url& asker) {
  if (realm.scheme != "https" && asker.scheme == "https") {
    return make_error(
        ErrorKind::invalid_config, asker.host,
        " is contacted over https, but requests credentials for the unencrypted address ",
        without_query(realm));
  }
  if (is_internal(realm.host) && realm.host != asker.host) {
    return make_error(ErrorKind::invalid_config, asker.host,
                      " requests credentials for the internal address ", without_query(realm));
  }
  return {};
}

}  // namespace

Result<Url> Access::base(Http& http) {
  const std::lock_guard lock(mutex_);
  if (!base_) TRY(connect(http));
  return *base_;
}

Result<> Access::connect(Http& http) {
  const std::string address = std::string(host_of(image_.registry)) + "/v2/";
  Request request;
  request.url = TRY(parse_url("https://" + address));
  Exchange exchange = send_with_retries(http, clock_, request, options_.patience);
  // Never after a certificate that is wrong: that would be what an attacker wants.
  const bool has_no_tls =
      exchange.failure == Failure::not_tls || exchange.failure == Failure::unreachable;
  if (has_no_tls && (options_.plain_http || is_loopback(request.url.host))) {
    request.url = TRY(parse_url("http://" + address));
    exchange = send_with_retries(http, clock_, request, options_.patience);
  } else if (exchange.failure == Failure::not_tls) {
    return with_hint(exchange.error, "use --plain-http to allow unencrypted connections");
  }
  if (exchange.failure != Failure::none) return exchange.error;
  if (options_.patience == Patience::brief && is_worth_another_try(exchange))
    return status_error(exchange.response, image_.registry);
  // Without its scope: some name a repository there that is only an example.
  if (exchange.response.status == 401 && !exchange.response.is_foreign)
    challenge_ = challenge_of(exchange.response);
  base_ = request.url;
  return {};
}

Result<> Access::look_up_credentials() {
  if (looked_up_) return {};
  credentials_ = TRY(find_credentials(options_.credentials, image_.registry, image_.repository));
  looked_up_ = true;
  return {};
}

std::string Access::basic() const {
  if (!credentials_ || (credentials_->user.empty() && credentials_->password.empty())) return {};
  return "Basic " + encode_base64(credentials_->user + ":" + credentials_->password);
}

Result<std::string> Access::authorization(Http& http, const Scopes& scopes) {
  const std::lock_guard lock(mutex_);
  if (!base_) TRY(connect(http));
  if (!challenge_) return std::string();
  TRY(look_up_credentials());
  if (challenge_->scheme == "basic") return basic();
  Token& token = tokens_[scopes];
  if (token.text.empty() || clock_.milliseconds() > token.end - kSpareTime)
    token = TRY(fetch_token(http, scopes));
  return "Bearer " + token.text;
}

Result<> Access::refused(const Response& response, const std::string& used, const Scopes& scopes) {
  const std::lock_guard lock(mutex_);
  if (const auto challenge = challenge_of(response)) {
    challenge_ = challenge;
    missing_[scopes] = scopes_of(*challenge);
  }
  TRY(look_up_credentials());
  const bool was_basic = used.starts_with("Basic ");
  if (!challenge_ || (challenge_->scheme == "basic" && (was_basic || basic().empty()))) {
    return login_hint(status_error(response, image_.registry));
  }
  // Unless another thread has already a new one.
  const auto token = tokens_.find(scopes);
  if (token != tokens_.end() && used == "Bearer " + token->second.text) tokens_.erase(token);
  return {};
}

Result<std::string> Access::for_anybody(Http& http, const Response& refusal) {
  const auto challenge = challenge_of(refusal);
  if (!challenge || challenge->scheme != "bearer") return std::string();
  const TokenRequest wanted = {TRY_AT(refusal.url.host, parse_url(challenge->parameter("realm"))),
                               refusal.url, challenge->parameter("service"), scopes_of(*challenge)};
  TRY(check_realm(wanted.realm, wanted.asker));
  std::string name = wanted.realm.text + " " + std::string(wanted.service);
  for (const std::string& scope : wanted.scopes) name += " " + scope;
  const std::lock_guard lock(mutex_);
  Token& token = tokens_for_anybody_[name];
  if (token.text.empty() || clock_.milliseconds() > token.end - kSpareTime)
    token = TRY(fetch_token(http, wanted));
  return "Bearer " + token.text;
}

void Access::show_warnings(const Response& response) {
  if (response.is_foreign) return;
  for (const Header& header : response.headers) {
    if (header.name != "warning") continue;
    const std::optional<std::string> warning = registry_warning(header.value);
    const std::lock_guard lock(mutex_);
    if (!warning || warnings_.size() == kMostWarnings || !warnings_.insert(*warning).second)
      continue;
    log::warn(image_.registry + ": " + printable(*warning));
  }
}

Error Access::with_login_hint(const Error& error) {
  const std::lock_guard lock(mutex_);
  return login_hint(error);
}

Error Access::login_hint(const Error& error) const {
  if (credentials_) return error;
  return with_hint(error, text<160>("no credentials in auth.json or ~/.docker/config.json: use "
                                    "'onggi-image login ",
                                    image_.registry, "'")
                              .view());
}

Result<Access::Token> Access::fetch_token(Http& http, const Scopes& scopes) {
  const Url realm = TRY_AT("realm", parse_url(challenge_->parameter("realm")));
  TRY(check_realm(realm, *base_));
  const Scopes wanted = joined(missing_[scopes], scopes);
  if (credentials_ && !credentials_->identity_token.empty()) {
    const std::optional<Response> answer = TRY(change_identity_token(http, realm, wanted));
    if (answer) return read_token(*answer);
  }
  const TokenRequest request = {realm, *base_, challenge_->parameter("service"), wanted, basic()};
  return fetch_token(http, request);
}

Result<Access::Token> Access::fetch_token(Http& http, const TokenRequest& wanted) {
  const Response answer = TRY(ask_realm(http, wanted));
  return read_token(answer);
}

// Nothing: the server knows no POST (404, 405), and is to be asked by GET.
Result<std::optional<Response>> Access::change_identity_token(Http& http, const Url& realm,
                                                              const Scopes& scopes) {
  std::string form = "grant_type=refresh_token";
  const auto add = [&form](std::string_view name, std::string_view value) {
    form.append("&").append(name).append("=").append(percent_encoded(value));
  };
  add("refresh_token", credentials_->identity_token);
  add("client_id", kClientName);
  add("service", challenge_->parameter("service"));
  std::string all_scopes;
  for (const std::string& scope : scopes) all_scopes += (all_scopes.empty() ? "" : " ") + scope;
  add("scope", all_scopes);
  Request request;
  request.method = "POST";
  request.url = realm;
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = Body::of_text(form);
  request.follows = false;  // the body is a secret
  Exchange exchange = send_with_retries(http, clock_, request, options_.patience);
  if (exchange.failure != Failure::none) return exchange.error;
  const long status = exchange.response.status;
  if (status == 404 || status == 405) return std::optional<Response>();
  return std::optional(std::move(exchange.response));
}

Result<Response> Access::ask_realm(Http& http, const TokenRequest& wanted) {
  std::string address = wanted.realm.text;
  if (!wanted.service.empty()) address = with_parameter(address, "service", wanted.service);
  for (const std::string& scope : wanted.scopes) address = with_parameter(address, "scope", scope);
  Request request;
  request.url = TRY(parse_url(address));
  request.authorization = wanted.authorization;
  request.follows = false;
  for (int redirects = 0; redirects <= kMostRealmRedirects; ++redirects) {
    Exchange exchange = send_with_retries(http, clock_, request, options_.patience);
    if (exchange.failure != Failure::none) return exchange.error;
    if (!is_redirect(exchange.response)) return std::move(exchange.response);
    const Url target = TRY(resolve_url(request.url, *exchange.response.header("location")));
    TRY(check_realm(target, wanted.asker));
    if (!target.same_origin(request.url)) request.authorization.clear();
    request.url = target;
  }
  return make_error(ErrorKind::invalid_config, without_query(wanted.realm), ": more than ",
                    kMostRealmRedirects, " redirects");
}

Result<Access::Token> Access::read_token(const Response& response) const {
  const std::string server = without_query(response.url);
  if (response.status != 200) return status_error(response, server);
  rapidjson::Document json;
  TRY(parse_json_object(response.body, server + "'s answer", 64u << 10, json));
  std::string_view text = text_member(json, "token");
  if (text.empty()) text = text_member(json, "access_token");
  const bool is_clean = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  if (text.empty() || !is_clean)
    return make_error(ErrorKind::invalid_config, server, " did not send a token");
  int64_t life = kShortestLife;
  const rapidjson::Value* seconds = member_of(json, "expires_in");
  if (seconds != nullptr && seconds->IsUint())
    life = std::max(life, seconds->GetUint() * int64_t{1000});
  return Token{std::string(text), clock_.milliseconds() + life};
}

}  // namespace onggi::image
