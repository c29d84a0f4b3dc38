// SPDX-License-Identifier: Apache-2.0
// Which manifests have another one as their subject: signatures, bills of materials. Registries
// before distribution-spec 1.1 do not know it; an index under a tag that is made of the subject's
// digest stands in there, and whoever pushes has to write it.
#include "model/json.h"
#include "model/media_type.h"
#include "registry/registry.h"
#include "registry/retry.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace onggi::image {

namespace {

constexpr int kMostConflicts = 5;

// "sha256-12ab...", of a longer digest the start.
std::string tag_for(const Digest& subject) {
  const std::string_view algorithm =
      std::string_view(subject.text()).substr(0, subject.text().find(':'));
  return std::string(algorithm) + "-" + std::string(subject.hex().substr(0, 64));
}

using Json = rapidjson::Value;
using Allocator = rapidjson::Document::AllocatorType;

Json text_value(std::string_view text, Allocator& allocator) {
  return Json(text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator);
}

Json to_json(const Descriptor& descriptor, Allocator& allocator) {
  Json json(rapidjson::kObjectType);
  json.AddMember("mediaType", text_value(descriptor.media_type, allocator), allocator);
  json.AddMember("digest", text_value(descriptor.digest.text(), allocator), allocator);
  json.AddMember("size", descriptor.size, allocator);
  if (!descriptor.artifact_type.empty())
    json.AddMember("artifactType", text_value(descriptor.artifact_type, allocator), allocator);
  if (descriptor.annotations.entries.empty()) return json;
  Json annotations(rapidjson::kObjectType);
  for (const auto& [key, value] : descriptor.annotations.entries) {
    annotations.AddMember(text_value(key, allocator), text_value(value, allocator), allocator);
  }
  json.AddMember("annotations", annotations, allocator);
  return json;
}

std::string written(const rapidjson::Document& json) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  json.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

// `index` with one more entry and all that else is in it; a new index where that is empty.
Result<std::string> with_entry(std::string_view index, const Descriptor& referrer) {
  rapidjson::Document json;
  if (index.empty()) {
    index = R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json"})";
  }
  TRY(parse_json_object(index, "the index", kManifestLimit, json));
  Allocator& allocator = json.GetAllocator();
  Json entry = to_json(referrer, allocator);
  if (!json.HasMember("manifests") || !json["manifests"].IsArray()) {
    json.RemoveMember("manifests");
    json.AddMember("manifests", Json(rapidjson::kArrayType), allocator);
  }
  json["manifests"].PushBack(entry, allocator);
  return written(json);
}

// `index`, which has the entry, without it.
Result<std::string> without_entry(std::string_view index, const Digest& referrer) {
  rapidjson::Document json;
  TRY(parse_json_object(index, "the index", kManifestLimit, json));
  Json& entries = json["manifests"];
  for (auto entry = entries.Begin(); entry != entries.End();) {
    const bool is_meant = text_member(*entry, "digest") == referrer.text();
    entry = is_meant ? entries.Erase(entry) : entry + 1;
  }
  return written(json);
}

}  // namespace

Result<Registry::ReferrersTag> Registry::read_referrers_tag(const Digest& subject) {
  const std::string tag = tag_for(subject);
  Exchange exchange = get_manifest(tag);
  ReferrersTag found = {tag, {}, {}};
  if (exchange.status() == 404) return found;
  if (exchange.status() != 200) return error_of(exchange, subject_of(tag));
  if (const std::string* etag = exchange.response.header("etag")) found.etag = *etag;
  const std::string* type = exchange.response.header("content-type");
  found.index =
      TRY_AT(subject_of(tag), parse_index(std::move(exchange.response.body),
                                          type == nullptr ? "" : std::string_view(*type)));
  return found;
}

// Two who do this at once may lose an entry; where the registry knows entity tags, the second one
// is refused and does it again. Without `added`, the referrer's entry is removed.
Result<> Registry::change_referrers(const Digest& subject, const Digest& referrer,
                                    const Descriptor* added) {
  for (int tries = 1;; ++tries) {
    const ReferrersTag found = TRY(read_referrers_tag(subject));
    const std::string target = subject_of(found.tag);
    const bool is_listed = std::ranges::find(found.index.manifests, referrer,
                                             &Descriptor::digest) != found.index.manifests.end();
    if (is_listed == (added != nullptr)) return {};
    const std::string bytes =
        TRY_AT(target, added != nullptr ? with_entry(found.index.raw, *added)
                                        : without_entry(found.index.raw, referrer));
    if (bytes.size() > kManifestLimit) {
      return make_error(ErrorKind::unsupported, target, ": the list of referrers is full");
    }
    const Exchange exchange = put_manifest(found.tag, bytes, media_type::kIndex, found.etag);
    if (exchange.is_success()) return {};
    if (exchange.status() != 412 || tries == kMostConflicts) return error_of(exchange, target);
  }
}

Result<> Registry::add_referrer(const Digest& subject, const Descriptor& referrer) {
  return change_referrers(subject, referrer.digest, &referrer);
}

// A registry that knows referrers forgets what is removed by itself.
Result<> Registry::remove_referrer(const Digest& subject, const Digest& referrer) {
  Request request;
  request.url = TRY(address("/referrers/" + subject.text()));
  request.wants_body = false;
  const Exchange exchange = send(request, scopes("pull"), Repeats::yes);
  if (exchange.is_success()) return {};
  if (exchange.status() != 404) return error_of(exchange, subject_of(subject.text()));
  return change_referrers(subject, referrer, nullptr);
}

Result<std::vector<Descriptor>> Registry::referrers(const Digest& subject,
                                                    const std::string& artifact_type) {
  Pages pages;
  pages.subject = subject_of(subject.text());
  pages.request.url = TRY(address("/referrers/" + subject.text()));
  if (!artifact_type.empty()) {
    pages.request.url =
        TRY(parse_url(with_parameter(pages.request.url.text, "artifactType", artifact_type)));
  }
  pages.request.headers = {"Accept: " + std::string(media_type::kIndex)};
  pages.request.limit = kManifestLimit;
  std::vector<Descriptor> all;
  const auto add = [&all](Index index) {
    std::ranges::move(index.manifests, std::back_inserter(all));
  };
  while (!pages.is_last) {
    Exchange exchange = next(pages);
    if (exchange.status() == 404 && pages.count == 1) {
      add(TRY(read_referrers_tag(subject)).index);
      break;
    }
    if (exchange.status() != 200) return error_of(exchange, pages.subject);
    add(TRY_AT(pages.subject, parse_index(std::move(exchange.response.body), media_type::kIndex)));
  }
  // Most registries filter, and say so by OCI-Filters-Applied. The rest is filtered here, and so
  // nothing depends on who has done it.
  if (!artifact_type.empty()) {
    std::erase_if(all, [&](const Descriptor& each) { return each.artifact_type != artifact_type; });
  }
  return all;
}

}  // namespace onggi::image
