// SPDX-License-Identifier: Apache-2.0
// Entries are slices of the text; an entry that is new is the only one written from values.
#include "store/index_text.h"

#include "base/json_writer.h"
#include "model/json_slices.h"
#include "model/media_type.h"
#include "store/layout.h"

namespace onggi::image {

namespace {

constexpr std::string_view kManifests = "manifests", kAnnotations = "annotations";
constexpr std::string_view kNameKeys[] = {kReferenceName, kContainerdName};

void write_platform(JsonWriter& json, const Platform& platform) {
  json.key("platform").begin_object();
  json.field("architecture", platform.architecture).field("os", platform.os);
  if (!platform.os_version.empty()) json.field("os.version", platform.os_version);
  if (!platform.variant.empty()) json.field("variant", platform.variant);
  json.end_object();
}

std::string_view member_text(std::string_view object, std::string_view key) {
  for (const JsonMember& member : json_members(object)) {
    if (member.key == key) return member.value;
  }
  return {};
}

std::string without_names(std::string_view entry) {
  std::string annotations(member_text(entry, kAnnotations));
  for (std::string_view key : kNameKeys) annotations = with_json_member(annotations, key, {});
  return with_json_member(entry, kAnnotations, annotations == "{}" ? "" : annotations);
}

}  // namespace

std::string entry_json(const Descriptor& descriptor, const std::string& name) {
  JsonWriter json;
  json.begin_object();
  json.field("mediaType", descriptor.media_type).field("digest", descriptor.digest.text());
  json.field("size", descriptor.size);
  if (descriptor.platform) write_platform(json, *descriptor.platform);
  if (!descriptor.artifact_type.empty()) json.field("artifactType", descriptor.artifact_type);
  if (!name.empty()) json.key(kAnnotations).begin_object().field(kReferenceName, name).end_object();
  json.end_object();
  return std::move(json).take();
}

std::string IndexText::empty() {
  return std::string(R"({"schemaVersion":2,"mediaType":")")
      .append(media_type::kIndex)
      .append(R"(","manifests":[]})");
}

Result<IndexText> IndexText::parse(std::string text) {
  IndexText index;
  TRY(index.adopt(std::move(text)));
  return index;
}

Result<> IndexText::adopt(std::string text) {
  index_ = TRY(parse_index(text, {}));
  text_ = std::move(text);
  entries_.clear();
  for (std::string_view entry : json_elements(member_text(text_, kManifests)))
    entries_.emplace_back(entry);
  // A key that is there twice is read by every program in its own way.
  if (entries_.size() == index_.manifests.size()) return {};
  return make_error(ErrorKind::invalid_config, "index.json has \"manifests\" more than once");
}

Result<> IndexText::rebuild() {
  return adopt(with_json_member(text_, kManifests, json_array(entries_)));
}

Result<> IndexText::set_name(const std::string& name, const Descriptor& descriptor) {
  std::vector<std::string> kept;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Descriptor& each = index_.manifests[i];
    const bool nameless = reference_name(each).empty() && each.digest == descriptor.digest;
    const bool replaced = name.empty() ? nameless : nameless || has_name(each, name);
    if (!replaced) kept.push_back(std::move(entries_[i]));
  }
  kept.push_back(entry_json(descriptor, name));
  entries_ = std::move(kept);
  return rebuild();
}

bool IndexText::has_entry(const Digest& digest, size_t except) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (i != except && index_.manifests[i].digest == digest) return true;
  }
  return false;
}

Result<> IndexText::remove_name(const std::string& name, Unnamed unnamed) {
  std::vector<std::string> kept;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Descriptor& each = index_.manifests[i];
    if (!has_name(each, name)) {
      kept.push_back(entries_[i]);
    } else if (unnamed == Unnamed::keep && !has_entry(each.digest, i)) {
      kept.push_back(without_names(entries_[i]));
    }
  }
  entries_ = std::move(kept);
  return rebuild();
}

Result<> IndexText::remove_image(const Digest& digest) {
  std::vector<std::string> kept;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (index_.manifests[i].digest != digest) kept.push_back(entries_[i]);
  }
  entries_ = std::move(kept);
  return rebuild();
}

}  // namespace onggi::image
