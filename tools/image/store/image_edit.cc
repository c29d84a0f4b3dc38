// SPDX-License-Identifier: Apache-2.0
// The new manifest is of the base's kind: a registry that takes the one takes the other.
#include "store/image_edit.h"

#include "base/json_writer.h"
#include "model/json.h"
#include "model/media_type.h"

#include <rapidjson/pointer.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cstdlib>

namespace onggi::image {
namespace {

using Value = rapidjson::Value;
using rapidjson::Pointer;

constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

template <class Allocator>
Value text_value(std::string_view text, Allocator& allocator) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), allocator};
}

std::string compact(const rapidjson::Document& json) {
  rapidjson::StringBuffer text;
  rapidjson::Writer<rapidjson::StringBuffer> writer(text);
  json.Accept(writer);
  return {text.GetString(), text.GetSize()};
}

void write_descriptor(JsonWriter& json, std::string_view media_type, const Descriptor& descriptor) {
  json.begin_object()
      .field("mediaType", media_type)
      .field("digest", descriptor.digest.text())
      .field("size", descriptor.size);
  if (!descriptor.urls.empty()) json.field("urls", descriptor.urls);
  if (!descriptor.annotations.entries.empty()) {
    json.key("annotations").begin_object();
    for (const auto& [key, value] : descriptor.annotations.entries) json.field(key, value);
    json.end_object();
  }
  json.end_object();
}

Descriptor descriptor_of(std::string_view media_type, std::string_view bytes) {
  Descriptor descriptor;
  descriptor.media_type = media_type;
  descriptor.digest = digest_of(bytes);
  descriptor.size = bytes.size();
  return descriptor;
}

}  // namespace

Result<std::optional<int64_t>> source_date_epoch() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == 0) return std::optional<int64_t>();
  const std::optional<int64_t> seconds = parse_decimal<int64_t>(text);
  if (!seconds || *seconds < 0) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "SOURCE_DATE_EPOCH '", text, "' is not a valid time"),
        "set it to the number of seconds since 1970");
  }
  return seconds;
}

Result<ImageEdit> ImageEdit::begin(const Image& base, std::string now) {
  rapidjson::Document config;
  TRY(parse_json_object(base.config.raw, "the image config", kConfigLimit, config));
  return ImageEdit(std::move(config), base.manifest, std::move(now));
}

Value& ImageEdit::member_of_config(const char* member, rapidjson::Type type) {
  auto& memory = config_.GetAllocator();
  for (const auto& [parent, name, kind] :
       {std::tuple("", "config", rapidjson::kObjectType), std::tuple("/config", member, type)}) {
    Value& object = *Pointer(parent).Get(config_);
    if (!object.HasMember(name)) {
      object.AddMember(text_value(name, memory), Value(kind), memory);
    } else if (object[name].GetType() != kind) {
      object[name] = Value(kind);  // null is the same as absent
    }
  }
  return config_["config"][member];
}

void ImageEdit::set(const char* member, const Value& json) {
  member_of_config(member, json.GetType()).CopyFrom(json, config_.GetAllocator());
}

void ImageEdit::put(const char* member, const std::string& key, const Value& json) {
  auto& memory = config_.GetAllocator();
  Value& object = member_of_config(member, rapidjson::kObjectType);
  const Value name = text_value(key, memory);
  object.RemoveMember(name);
  object.AddMember(text_value(key, memory), Value(json, memory), memory);
}

const Value* ImageEdit::get(const char* member) const {
  const Value* config = image::member_of(config_, "config");
  return config == nullptr || !config->IsObject() ? nullptr : image::member_of(*config, member);
}

void ImageEdit::remove(const char* member) {
  if (config_.HasMember("config") && config_["config"].IsObject())
    config_["config"].RemoveMember(member);
}

void ImageEdit::set_author(const std::string& author) {
  author_ = author;
  Pointer("/author").Set(config_, text_value(author, config_.GetAllocator()));
}

Value& ImageEdit::array_at(const char* pointer) {
  Value& array = Pointer(pointer).Create(config_);
  if (!array.IsArray()) array.SetArray();
  return array;
}

void ImageEdit::add_layer(const LayerBlob& layer) {
  auto& memory = config_.GetAllocator();
  Descriptor descriptor = layer.descriptor;
  if (manifest_.media_type == media_type::kDockerManifest) descriptor.media_type = kDockerLayer;
  manifest_.layers.push_back(std::move(descriptor));
  array_at("/rootfs/diff_ids").PushBack(text_value(layer.diff_id.text(), memory), memory);
}

void ImageEdit::drop_layers() {
  manifest_.layers.clear();
  array_at("/rootfs/diff_ids").Clear();
  for (Value& entry : array_at("/history").GetArray()) {
    if (entry.IsObject()) Pointer("/empty_layer").Set(entry, true, config_.GetAllocator());
  }
}

// What is unknown comes after what is known, with the time of the base.
void ImageEdit::complete_history(size_t layers) {
  auto& memory = config_.GetAllocator();
  const Value* created = Pointer("/created").Get(config_);
  size_t known = 0;
  for (Value& entry : array_at("/history").GetArray()) {
    if (!entry.IsObject()) entry.SetObject();
    const Value* empty = member_of(entry, "empty_layer");
    if (empty != nullptr && empty->IsTrue()) continue;
    if (++known > layers) Pointer("/empty_layer").Set(entry, true, memory);
  }
  for (; known < layers; ++known) {
    Value entry(rapidjson::kObjectType);
    if (created != nullptr && created->IsString())
      entry.AddMember("created", Value(*created, memory), memory);
    entry.AddMember("comment", "a layer of the base image without history", memory);
    array_at("/history").PushBack(entry, memory);
  }
}

void ImageEdit::add_history(const std::string& created_by, const std::string& comment,
                            bool is_empty) {
  auto& memory = config_.GetAllocator();
  complete_history(manifest_.layers.size() - (is_empty ? 0 : 1));
  Pointer("/created").Set(config_, text_value(now_, memory));
  Value entry(rapidjson::kObjectType);
  entry.AddMember("created", text_value(now_, memory), memory);
  entry.AddMember("created_by", text_value(created_by, memory), memory);
  if (!author_.empty()) entry.AddMember("author", text_value(author_, memory), memory);
  if (!comment.empty()) entry.AddMember("comment", text_value(comment, memory), memory);
  if (is_empty) entry.AddMember("empty_layer", true, memory);
  array_at("/history").PushBack(entry, memory);
}

std::string ImageEdit::manifest_text(const Descriptor& config) const {
  JsonWriter json;
  json.begin_object().field("schemaVersion", 2);
  // OCI manifests may go without; the base decides nothing else by its absence.
  const bool is_docker = manifest_.media_type == media_type::kDockerManifest;
  json.field("mediaType", is_docker ? media_type::kDockerManifest : media_type::kManifest);
  json.key("config");
  write_descriptor(json, config.media_type, config);
  json.key("layers").begin_array();
  for (const Descriptor& layer : manifest_.layers) write_descriptor(json, layer.media_type, layer);
  json.end_array();
  if (!manifest_.annotations.entries.empty()) {
    json.key("annotations").begin_object();
    for (const auto& [key, value] : manifest_.annotations.entries) json.field(key, value);
    json.end_object();
  }
  json.end_object();
  return std::move(json).take();
}

Result<Descriptor> ImageEdit::write(const LayoutWriter& layout) const {
  const bool is_docker = manifest_.media_type == media_type::kDockerManifest;
  const std::string text = compact(config_);
  const Descriptor config = descriptor_of(is_docker ? kDockerConfig : media_type::kConfig, text);
  // What is not an image any more is noticed before it is one.
  const ImageConfig parsed = TRY(parse_image_config(text));
  TRY(check_image(manifest_, parsed));
  TRY(layout.write(config, text));
  const std::string bytes = manifest_text(config);
  const Descriptor manifest =
      descriptor_of(is_docker ? media_type::kDockerManifest : media_type::kManifest, bytes);
  TRY(layout.write(manifest, bytes));
  return manifest;
}

}  // namespace onggi::image
