// SPDX-License-Identifier: Apache-2.0
// Manifests by tag or digest. They go and come as bytes: everything else is made of them.
#include "base/utf8.h"
#include "model/json.h"
#include "model/media_type.h"
#include "registry/registry.h"
#include "registry/retry.h"

#include <algorithm>

namespace onggi::image {

namespace {

constexpr uint64_t kErrorLimit = 64u << 10;

// Schema 1 only so that what comes can be named.
std::string accepted_manifests() {
  return text<512>("Accept: ", media_type::kIndex, ", ", media_type::kManifest, ", ",
                   media_type::kDockerList, ", ", media_type::kDockerManifest,
                   ", application/vnd.docker.distribution.manifest.v1+prettyjws")
      .c_str();
}

bool is_digest(std::string_view version) {
  return version.find(':') != version.npos;
}

// The digest that a manifest has when it is asked for by `version`.
Result<Digest> digest_for(const std::string& version, std::string_view bytes,
                          const std::string& subject) {
  if (!is_digest(version)) return digest_of(bytes);
  const Digest wanted = TRY(Digest::parse(version));
  TRY_AT(subject, verify(bytes, wanted, bytes.size()));
  return wanted;
}

// Pages of proxies, hotel networks and login services, which come with status 200, too.
bool is_page(const Response& response, std::string_view type) {
  const size_t start = response.body.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  return without_parameters(type) == "text/html" ||
         (start != response.body.npos && response.body[start] == '<');
}

Error page_error(const Response& response, std::string_view type, const std::string& subject) {
  const std::string shown = printable(response.body.substr(0, 60));
  const Error error = make_error(ErrorKind::invalid_config, subject, ": expected a manifest, but ",
                                 without_query(response.url), " sent ",
                                 type.empty() ? "a page" : type, ": \"", shown, "\"");
  return with_hint(error,
                   "check the name of the registry, and whether a proxy answers in its place");
}

Result<Document> parse_answer(Response& response, const std::string& subject) {
  const std::string* type = response.header("content-type");
  const std::string declared = type == nullptr ? std::string() : printable(*type);
  if (is_page(response, declared)) return page_error(response, declared, subject);
  return TRY_AT(subject, parse_document(std::move(response.body), declared));
}

// MANIFEST_BLOB_UNKNOWN with the digest in its detail: distribution's own form, the specification
// leaves it open.
struct MissingBlobs {
  bool is_meant = false;
  std::vector<Digest> named;
};
MissingBlobs missing_blobs(const Response& response) {
  MissingBlobs missing;
  rapidjson::Document json;
  if (!parse_json_object(response.body, "error", kErrorLimit, json)) return missing;
  const rapidjson::Value* errors = member_of(json, "errors");
  if (errors == nullptr || !errors->IsArray()) return missing;
  for (const auto& error : errors->GetArray()) {
    if (text_member(error, "code") != "MANIFEST_BLOB_UNKNOWN") continue;
    missing.is_meant = true;
    const rapidjson::Value* detail = member_of(error, "detail");
    if (detail == nullptr) continue;
    for (const char* key : {"digest", "Digest"}) {
      const Result<Digest> digest = Digest::parse(text_member(*detail, key));
      if (digest) missing.named.push_back(digest.value());
    }
  }
  return missing;
}

std::vector<Digest> blobs_of(const Document& document) {
  std::vector<Digest> all;
  const auto* manifest = std::get_if<Manifest>(&document);
  if (manifest == nullptr) return all;
  all.push_back(manifest->config.digest);
  for (const Descriptor& layer : manifest->layers) all.push_back(layer.digest);
  return all;
}

// As it stands in a list of referrers (distribution-spec, "Pushing Manifests with Subject").
Descriptor descriptor_of(const Document& document, const Digest& digest) {
  Descriptor descriptor;
  std::visit(
      [&](const auto& value) {
        descriptor.media_type = value.media_type;
        descriptor.artifact_type = value.artifact_type;
        descriptor.size = value.raw.size();
        descriptor.annotations = value.annotations;
      },
      document);
  const auto* manifest = std::get_if<Manifest>(&document);
  if (manifest != nullptr && descriptor.artifact_type.empty())
    descriptor.artifact_type = manifest->config.media_type;
  descriptor.digest = digest;
  return descriptor;
}

}  // namespace

Exchange Registry::get_manifest(const std::string& version) {
  const Result<Url> url = address("/manifests/" + version);
  if (!url) return failed_exchange(url.error());
  Request request;
  request.url = url.value();
  request.headers = {accepted_manifests()};
  request.limit = kManifestLimit;
  return send(request, scopes("pull"), Repeats::yes);
}

Exchange Registry::put_manifest(const std::string& version, std::string_view bytes,
                                std::string_view media_type, const std::string& etag) {
  const Result<Url> url = address("/manifests/" + version);
  if (!url) return failed_exchange(url.error());
  Request request;
  request.method = "PUT";
  request.url = url.value();
  request.headers = {"Content-Type: " + std::string(media_type)};
  if (!etag.empty()) request.headers.push_back("If-Match: " + etag);
  request.body = Body::of_text(bytes);
  return send(request, scopes("pull,push"), Repeats::yes);
}

Result<FetchedManifest> Registry::manifest(const std::string& version) {
  return read_manifest(version, get_manifest(version));
}

Result<FetchedManifest> Registry::read_manifest(const std::string& version, Exchange exchange) {
  const std::string subject = subject_of(version);
  if (exchange.status() != 200) return error_of(exchange, subject);
  failing_ = Failing::registry;
  const Digest digest = TRY(digest_for(version, exchange.response.body, subject));
  TRY(check_announced_digest(exchange.response, digest, subject));
  const uint64_t size = exchange.response.body.size();
  return FetchedManifest{TRY(parse_answer(exchange.response, subject)), digest, size};
}

// Registries that say nothing of the digest, and proxies that know no HEAD, which some of them say
// by 404.
Result<std::optional<Descriptor>> Registry::announced(const std::string& version) {
  Request request;
  request.method = "HEAD";
  request.url = TRY(address("/manifests/" + version));
  request.headers = {accepted_manifests()};
  const Exchange exchange = send(request, scopes("pull"), Repeats::yes);
  const std::string* type = exchange.response.header("content-type");
  const std::string* length = exchange.response.header("content-length");
  const std::string* digest = exchange.response.header("docker-content-digest");
  if (exchange.is_success() && type != nullptr && length != nullptr && digest != nullptr) {
    Descriptor found;
    found.media_type = without_parameters(*type);
    found.size = parse_decimal<uint64_t>(*length).value_or(0);
    found.digest = TRY_AT(subject_of(version), Digest::parse(*digest));
    if (found.size != 0) return std::optional(std::move(found));
  } else if (!exchange.is_success() && exchange.status() != 404 && exchange.status() != 405 &&
             exchange.status() != 501) {
    return error_of(exchange, subject_of(version));
  }
  return std::optional<Descriptor>();
}

Result<std::optional<Descriptor>> Registry::find(const std::string& version) {
  std::optional<Descriptor> found = TRY(announced(version));
  if (found) return found;
  Exchange all = get_manifest(version);
  if (all.status() == 404) return std::optional<Descriptor>();
  const FetchedManifest fetched = TRY(read_manifest(version, std::move(all)));
  return std::optional(descriptor_of(fetched.document, fetched.digest));
}

Result<std::vector<Digest>> Registry::push(const Document& document, const std::string& version) {
  const std::string target = subject_of(version);
  const auto& [bytes, media_type, subject] = std::visit(
      [](const auto& value) { return std::tie(value.raw, value.media_type, value.subject); },
      document);
  const Digest digest = TRY(digest_for(version, bytes, target));
  const Exchange exchange = put_manifest(version, bytes, media_type, {});
  if (!exchange.is_success()) {
    MissingBlobs missing = missing_blobs(exchange.response);
    if (!missing.is_meant) return error_of(exchange, target);
    if (missing.named.empty()) missing.named = blobs_of(document);
    if (missing.named.empty()) return error_of(exchange, target);
    return std::move(missing.named);
  }
  TRY(check_announced_digest(exchange.response, digest, target));
  const std::string* known = exchange.response.header("oci-subject");
  if (subject && (known == nullptr || *known != subject->digest.text()))
    TRY(add_referrer(subject->digest, descriptor_of(document, digest)));
  return std::vector<Digest>();
}

// What cannot be read as a manifest has none: it can be removed all the same.
Result<std::optional<Digest>> Registry::subject_at(const Digest& digest) {
  Exchange exchange = get_manifest(digest.text());
  if (exchange.failure != Failure::none) return error_of(exchange, subject_of(digest.text()));
  const Result<Document> read = parse_answer(exchange.response, digest.text());
  if (exchange.response.status != 200 || !read) return std::optional<Digest>();
  const auto& subject = std::visit(
      [](const auto& each) -> const auto& { return each.subject; }, read.value());
  return subject ? std::optional(subject->digest) : std::nullopt;
}

Result<> Registry::remove(const std::string& version) {
  std::optional<Digest> digest, subject;
  if (is_digest(version)) digest = TRY(Digest::parse(version));
  if (digest) subject = TRY(subject_at(*digest));
  Request request;
  request.method = "DELETE";
  request.url = TRY(address("/manifests/" + version));
  const Exchange exchange = send(request, scopes("pull,delete"), Repeats::yes);
  if (exchange.is_success()) {
    if (subject) {
      TRY_AT("the manifest is removed, but is still in the referrers list of its subject",
             remove_referrer(*subject, *digest));
    }
    return {};
  }
  Error error = error_of(exchange, subject_of(version));
  if (exchange.status() != 405 && exchange.status() != 400) return error;
  return with_hint(error, is_digest(version)
                              ? "this registry does not allow deletion"
                              : "the registry does not support deletion, or only by digest");
}

}  // namespace onggi::image
