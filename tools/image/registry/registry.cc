// SPDX-License-Identifier: Apache-2.0
// Requests with authorization and retries, manifests, tags. Blobs are in registry_blobs.cc.
#include "registry/registry.h"

#include "model/json.h"
#include "model/media_type.h"
#include "registry/retry.h"

namespace onggi::image {

namespace {

constexpr size_t kTagsLimit = 16u << 20;  // of one page
constexpr int kMostPages = 10'000;

// Schema 1 only so that what comes can be named.
std::string accepted_manifests() {
  return text<512>("Accept: ", media_type::kIndex, ", ", media_type::kManifest, ", ",
                   media_type::kDockerList, ", ", media_type::kDockerManifest,
                   ", application/vnd.docker.distribution.manifest.v1+prettyjws")
      .c_str();
}

bool is_success(const Exchange& exchange) {
  return exchange.failure == Failure::none && exchange.response.status == 200;
}

Exchange failed(const Error& error) {
  Exchange exchange;
  exchange.failure = Failure::fatal;
  exchange.error = error;
  return exchange;
}

// What the registry says of the body counts for nothing beside the body, but a registry that is
// wrong about it is not to be trusted with the tag either.
Result<> check_announced_digest(const Response& response, const std::string& subject) {
  const std::string* field = response.header("docker-content-digest");
  if (field == nullptr) return {};
  const Digest announced = TRY_AT(subject, Digest::parse(*field));
  const Digest found = digest_of(response.body, announced.algorithm());
  if (announced == found) return {};
  return make_error(ErrorKind::invalid_config, subject, ": the registry announces ",
                    announced.text(), ", but sends ", found.text());
}

}  // namespace

Result<Url> Registry::address(std::string_view path) {
  const Url base = TRY(access_.base(http_));
  return parse_url(base.text + access_.image().repository + std::string(path));
}

Exchange Registry::send(Request request, const Scopes& scopes, Repeats repeats) {
  Backoff backoff(access_.clock());
  bool is_renewed = false;
  while (true) {
    const Result<std::string> authorization = access_.authorization(http_, scopes);
    if (!authorization) return failed(authorization.error());
    request.authorization = authorization.value();
    Exchange exchange = http_.send(request);
    const bool is_refused = exchange.failure == Failure::none && exchange.response.status == 401;
    if (is_refused && !exchange.response.is_foreign && !is_renewed) {
      const Result<> refused = access_.refused(exchange.response, request.authorization, scopes);
      if (!refused) return failed(refused.error());
      is_renewed = true;
    } else if (repeats == Repeats::no || !is_worth_another_try(exchange) ||
               !backoff.wait(exchange)) {
      return exchange;
    }
  }
}

Error Registry::error_of(const Exchange& exchange, std::string_view subject) {
  const Error error = exchange_error(exchange, subject);
  const long status = exchange.response.status;
  if (exchange.failure != Failure::none || (status != 401 && status != 403)) return error;
  return access_.with_login_hint(error);
}

Result<FetchedManifest> Registry::manifest(const std::string& version) {
  Reference image = access_.image();
  const bool by_digest = version.find(':') != version.npos;
  (by_digest ? image.digest : image.tag) = version;
  const std::string subject = to_text(image);
  Request request;
  request.url = TRY(address("/manifests/" + version));
  request.headers = {accepted_manifests()};
  request.limit = kManifestLimit;
  Exchange exchange = send(request, pull_scopes(), Repeats::yes);
  if (!is_success(exchange)) return error_of(exchange, subject);
  Response& response = exchange.response;
  if (by_digest) {
    const Digest wanted = TRY(Digest::parse(version));
    TRY_AT(subject, verify(response.body, wanted, response.body.size()));
  }
  TRY(check_announced_digest(response, subject));
  const std::string* type = response.header("content-type");
  const Digest digest = by_digest ? TRY(Digest::parse(version)) : digest_of(response.body);
  const uint64_t size = response.body.size();
  Document document = TRY_AT(
      subject,
      parse_document(std::move(response.body), type == nullptr ? "" : std::string_view(*type)));
  return FetchedManifest{std::move(document), digest, size};
}

Result<std::vector<std::string>> Registry::tags() {
  const std::string subject = access_.image().registry + "/" + access_.image().repository;
  std::vector<std::string> names;
  Request request;
  request.url = TRY(address("/tags/list"));
  request.limit = kTagsLimit;
  for (int page = 0; page < kMostPages; ++page) {
    const Exchange exchange = send(request, pull_scopes(), Repeats::yes);
    if (!is_success(exchange)) return error_of(exchange, subject);
    rapidjson::Document json;
    TRY_AT(subject,
           parse_json_object(exchange.response.body, "the list of tags", kTagsLimit, json));
    if (const rapidjson::Value* tags = member_of(json, "tags");
        tags != nullptr && tags->IsArray()) {
      for (const auto& tag : tags->GetArray()) {
        if (tag.IsString()) names.emplace_back(tag.GetString(), tag.GetStringLength());
      }
    }
    const std::string* link = exchange.response.header("link");
    const auto next = link == nullptr ? std::nullopt : next_link(*link);
    if (!next) return names;
    const Url target = TRY(resolve_url(request.url, *next));
    if (!target.same_origin(request.url)) {
      return make_error(ErrorKind::invalid_config, subject, ": the list of tags goes on at ",
                        without_query(target), ", another server");
    }
    request.url = target;
  }
  return make_error(ErrorKind::invalid_config, subject, ": the list of tags has no end");
}

}  // namespace onggi::image
