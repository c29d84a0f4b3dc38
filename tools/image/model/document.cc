// SPDX-License-Identifier: Apache-2.0
// The documents of image-spec, read by tables as config.json is.
#include "model/document.h"

#include "base/utf8.h"
#include "model/json.h"
#include "model/media_type.h"
#include "spec/reader.h"

#include <algorithm>
#include <array>

namespace onggi::image {

using spec::Cursor;
using spec::Field;
using spec::into;
using spec::Json;
using spec::kRequired;
using spec::read_object;

namespace {

constexpr Field<Platform> kPlatformFields[] = {
    {"os", into<&Platform::os>, kRequired},
    {"architecture", into<&Platform::architecture>, kRequired},
    {"variant", into<&Platform::variant>},
    {"os.version", into<&Platform::os_version>},
};

// Sizes are signed 64-bit numbers in every implementation; a larger one would be negative there.
Result<> read_size(const Cursor& at, Descriptor& to) {
  to.size = TRY(spec::read_unsigned(at, 0, INT64_MAX));
  return {};
}

constexpr Field<Descriptor> kDescriptorFields[] = {
    {"mediaType", into<&Descriptor::media_type>},  // see assume_types()
    {"digest", into<&Descriptor::digest>, kRequired},
    {"size", read_size, kRequired},
    {"urls", into<&Descriptor::urls>},
    {"annotations", into<&Descriptor::annotations>},
    {"data", into<&Descriptor::data>},
    {"artifactType", into<&Descriptor::artifact_type>},
    {"platform", into<&Descriptor::platform>},
};

constexpr Field<Manifest> kManifestFields[] = {
    {"mediaType", into<&Manifest::media_type>},
    {"artifactType", into<&Manifest::artifact_type>},
    {"config", into<&Manifest::config>, kRequired},
    {"layers", into<&Manifest::layers>},
    {"subject", into<&Manifest::subject>},
    {"annotations", into<&Manifest::annotations>},
};

constexpr Field<Index> kIndexFields[] = {
    {"mediaType", into<&Index::media_type>},    {"artifactType", into<&Index::artifact_type>},
    {"manifests", into<&Index::manifests>},     {"subject", into<&Index::subject>},
    {"annotations", into<&Index::annotations>},
};

constexpr Field<ContainerConfig> kContainerFields[] = {
    {"User", into<&ContainerConfig::user>},
    {"WorkingDir", into<&ContainerConfig::working_dir>},
    {"StopSignal", into<&ContainerConfig::stop_signal>},
    {"ExposedPorts", into<&ContainerConfig::exposed_ports>},
    {"Volumes", into<&ContainerConfig::volumes>},
    {"Env", into<&ContainerConfig::env>},
    {"Entrypoint", into<&ContainerConfig::entrypoint>},
    {"Cmd", into<&ContainerConfig::cmd>},
    {"Labels", into<&ContainerConfig::labels>},
};

constexpr Field<History> kHistoryFields[] = {
    {"created", into<&History::created>},         {"created_by", into<&History::created_by>},
    {"author", into<&History::author>},           {"comment", into<&History::comment>},
    {"empty_layer", into<&History::empty_layer>},
};

constexpr Field<RootFilesystem> kRootFields[] = {
    {"type", into<&RootFilesystem::type>},
    {"diff_ids", into<&RootFilesystem::diff_ids>},
};

constexpr Field<ImageConfig> kImageFields[] = {
    {"created", into<&ImageConfig::created>},
    {"author", into<&ImageConfig::author>},
    {"os", into<&ImageConfig::os>, kRequired},
    {"architecture", into<&ImageConfig::architecture>, kRequired},
    {"variant", into<&ImageConfig::variant>},
    {"os.version", into<&ImageConfig::os_version>},
    {"config", into<&ImageConfig::config>},
    {"rootfs", into<&ImageConfig::rootfs>, kRequired},
    {"history", into<&ImageConfig::history>},
};

}  // namespace

// Found by the tables above through their arguments' namespace.
static Result<> read(const Cursor& at, Digest& to) {
  spec::Text text;
  TRY(spec::read(at, text));
  to = TRY_AT(at.path().view(), Digest::parse(text));
  return {};
}
static Result<> read(const Cursor& at, StringMap& to) {
  spec::TextMap map;
  TRY(spec::read(at, map));
  for (const auto& [key, value] : map) {
    if (key.find('\0') != key.npos || value.find('\0') != value.npos)
      return at.error("must not contain a NUL character");
    to.entries.emplace_back(key, value);
  }
  return {};
}
static Result<> read(const Cursor& at, KeySet& to) {
  if (!at.json().IsObject()) return at.error("must be an object");
  for (const auto& member : at.json().GetObject()) {
    const spec::Text key = spec::text_of(member.name);
    if (key.find('\0') != key.npos) return at.error("must not contain a NUL character");
    to.keys.emplace_back(key);
  }
  return {};
}
static Result<> read(const Cursor& at, Platform& to) {
  return read_object(at, kPlatformFields, to);
}
static Result<> read(const Cursor& at, Descriptor& to) {
  return read_object(at, kDescriptorFields, to);
}
static Result<> read(const Cursor& at, ContainerConfig& to) {
  return read_object(at, kContainerFields, to);
}
static Result<> read(const Cursor& at, History& to) {
  return read_object(at, kHistoryFields, to);
}
static Result<> read(const Cursor& at, RootFilesystem& to) {
  return read_object(at, kRootFields, to);
}

namespace {

template <class T, size_t N>
Result<T> read_document(std::string&& bytes, const Json& json, const Field<T> (&fields)[N]) {
  std::vector<std::string> warnings;
  std::string unknown_key;
  T value;
  const spec::Source source{"config.json", "", warnings, unknown_key};
  TRY(read_object(Cursor(json, source), fields, value));
  value.raw = std::move(bytes);
  return value;
}

bool has(const Json& object, const char* key) {
  const auto member = object.FindMember(key);
  return member != object.MemberEnd() && !member->value.IsNull();
}

// What the document is by its shape.
Result<MediaKind> shape_of(const Json& json) {
  const bool manifest = has(json, "config") || has(json, "layers");
  // Old layouts without images have "manifests": null.
  const bool index = has(json, "manifests") || (!manifest && json.HasMember("manifests"));
  if (manifest && index) {
    return make_error(ErrorKind::invalid_config, "has the fields of both a manifest and an index");
  }
  if (!manifest && !index) {
    if (has(json, "fsLayers")) return MediaKind::unsupported_docker_schema_1;
    return make_error(ErrorKind::invalid_config, "is neither a manifest nor an index");
  }
  return manifest ? MediaKind::manifest : MediaKind::index;
}

Result<> check_media_type(std::string_view body, std::string_view declared, MediaKind shape) {
  if (shape == MediaKind::unsupported_docker_schema_1) {
    return make_error(ErrorKind::unsupported, "is a manifest of Docker's schema 1");
  }
  const std::string_view expected = without_parameters(declared);
  if (!body.empty() && !expected.empty() && body != expected &&
      media_kind(expected) != MediaKind::unknown) {
    return make_error(ErrorKind::invalid_config, "mediaType is ", body, ", but it was given as ",
                      expected);
  }
  for (std::string_view each : {body, expected}) {
    const MediaKind kind = media_kind(each);
    if (kind != MediaKind::unknown && kind != shape) {
      return make_error(ErrorKind::invalid_config, "media type ", each,
                        " does not fit the fields of the document");
    }
  }
  return {};
}

Result<> check_schema(const Json& json) {
  const auto version = json.FindMember("schemaVersion");
  const bool absent = version == json.MemberEnd();
  if (!absent && version->value.IsInt() && version->value.GetInt() == 2) return {};
  return make_error(ErrorKind::unsupported, "schemaVersion must be 2");
}

// Descriptors must have a type, but some tools' have none, where the place of the descriptor says
// what it is. The documents that an index lists say
// themselves what they are.
void assume_types(Manifest& manifest) {
  const auto assume = [&](Descriptor& blob, std::string_view type, const std::string& place) {
    if (!blob.media_type.empty()) return;
    blob.media_type = type;
    manifest.assumptions.push_back(place + " has no mediaType, assuming " + std::string(type));
  };
  if (manifest.artifact_type.empty()) assume(manifest.config, media_type::kConfig, "config");
  if (media_kind(manifest.config.media_type) != MediaKind::config) return;
  for (size_t at = 0; at < manifest.layers.size(); ++at)
    assume(manifest.layers[at], media_type::kLayer, "layers[" + std::to_string(at) + "]");
}

std::string media_type_of(const Json& json) {
  const auto member = json.FindMember("mediaType");
  const bool text = member != json.MemberEnd() && member->value.IsString();
  return text ? std::string(spec::text_of(member->value)) : std::string();
}

}  // namespace

Result<Document> parse_document(std::string bytes, std::string_view declared) {
  rapidjson::Document json;
  TRY(parse_json_object(bytes, "the manifest", kManifestLimit, json));
  const MediaKind shape = TRY_AT("manifest", shape_of(json));
  std::string media_type = media_type_of(json);
  TRY_AT("manifest", check_media_type(media_type, declared, shape));
  TRY_AT("manifest", check_schema(json));
  if (media_type.empty()) {
    const bool known = media_kind(declared) != MediaKind::unknown;
    const auto usual = shape == MediaKind::index ? media_type::kIndex : media_type::kManifest;
    media_type = known ? without_parameters(declared) : usual;
  }
  if (shape == MediaKind::index) {
    Index index = TRY(read_document(std::move(bytes), json, kIndexFields));
    index.media_type = std::move(media_type);
    return Document(std::move(index));
  }
  Manifest manifest = TRY(read_document(std::move(bytes), json, kManifestFields));
  manifest.media_type = std::move(media_type);
  assume_types(manifest);
  return Document(std::move(manifest));
}

Result<Index> parse_index(std::string bytes, std::string_view declared) {
  Document document = TRY(parse_document(std::move(bytes), declared));
  auto* index = std::get_if<Index>(&document);
  if (index == nullptr) {
    return make_error(ErrorKind::invalid_config, "is a manifest where an index must be");
  }
  return std::move(*index);
}

Result<ImageConfig> parse_image_config(std::string bytes) {
  rapidjson::Document json;
  TRY(parse_json_object(bytes, "the image config", kConfigLimit, json));
  return read_document(std::move(bytes), json, kImageFields);
}

Result<> check_image(const Manifest& manifest, const ImageConfig& config) {
  if (config.rootfs.type != "layers") {
    return config_error("rootfs.type", "must be \"layers\", not \"", config.rootfs.type, "\"");
  }
  if (manifest.layers.size() != config.rootfs.diff_ids.size()) {
    return config_error("rootfs.diff_ids", "has ", config.rootfs.diff_ids.size(),
                        " entries, but the manifest has ", manifest.layers.size(), " layers");
  }
  uint32_t number = 0;
  for (const Descriptor& layer : manifest.layers) {
    const MediaKind kind = media_kind(layer.media_type);
    if (kind != MediaKind::layer && kind != MediaKind::foreign_layer) {
      return with_hint(unsupported(text<64>("layers[", number, "].mediaType").view(), "\"",
                                   layer.media_type, "\" is not a layer"),
                       "this is an artifact, or an image type that onggi-image does not support");
    }
    ++number;
  }
  return {};
}

}  // namespace onggi::image
