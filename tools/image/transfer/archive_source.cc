// SPDX-License-Identifier: Apache-2.0
// manifest.json is described by docker's image specification v1.2 ("Combined Image JSON +
// Filesystem Changeset Format"); its paths are names of entries and nothing else (CVE-2014-9358).
#include "transfer/archive_source.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "model/json.h"
#include "model/media_type.h"
#include "model/reference.h"
#include "store/index_text.h"
#include "store/layout.h"
#include "store/layout_writer.h"

#include <unistd.h>

#include <algorithm>

namespace onggi::image {

namespace {

constexpr uint64_t kVersionLimit = 4096;
constexpr uint64_t kArchiveJsonLimit = 20u << 20;
constexpr size_t kPortion = 256u << 10;

struct DockerImage {
  std::string config;
  std::vector<std::string> tags, layers;
};

std::vector<std::string> text_list(const rapidjson::Value& object, const char* key) {
  std::vector<std::string> list;
  const rapidjson::Value* value = member_of(object, key);
  if (value == nullptr || !value->IsArray()) return list;
  for (const auto& each : value->GetArray()) {
    if (each.IsString()) list.emplace_back(each.GetString(), each.GetStringLength());
  }
  return list;
}

Result<std::vector<DockerImage>> parse_docker_images(const std::string& text) {
  // An array, so that it is put into an object for the reader of others' JSON.
  rapidjson::Document json;
  TRY(parse_json_object("{\"images\":" + text + "}", "manifest.json", kArchiveJsonLimit + 16,
                        json));
  const rapidjson::Value& images = json["images"];
  if (!images.IsArray())
    return make_error(ErrorKind::invalid_config, "manifest.json is not a JSON array");
  std::vector<DockerImage> found;
  for (const auto& each : images.GetArray()) {
    DockerImage image{std::string(text_member(each, "Config")), text_list(each, "RepoTags"),
                      text_list(each, "Layers")};
    if (image.config.empty())
      return make_error(ErrorKind::invalid_config, "manifest.json has an image without \"Config\"");
    found.push_back(std::move(image));
  }
  return found;
}

std::string normalized(const std::string& name) {
  const Result<Reference> reference = parse_reference(name);
  return reference ? to_text(reference.value()) : name;
}

bool is_same_name(const std::string& first, const std::string& second) {
  return first == second || normalized(first) == normalized(second);
}

std::string tags_of(const std::vector<DockerImage>& images) {
  std::string names;
  for (const DockerImage& image : images) {
    for (const std::string& tag : image.tags) names.append(names.empty() ? "" : ", ") += tag;
  }
  return names.empty() ? "no named images" : names;
}

Result<const DockerImage*> choose(const std::vector<DockerImage>& images,
                                  const std::string& reference) {
  if (reference.empty() && images.size() == 1) return &images[0];
  for (const DockerImage& image : images) {
    const auto is_meant = [&](const std::string& tag) { return is_same_name(tag, reference); };
    if (!reference.empty() && std::ranges::any_of(image.tags, is_meant)) return &image;
  }
  const Error error =
      reference.empty()
          ? make_error(ErrorKind::invalid_config, "the archive has ", images.size(), " images")
          : make_error(ErrorKind::invalid_config, "no image is named '", reference,
                       "' in the archive");
  return with_hint(error, text<160>("available: ", tags_of(images)).view());
}

// Of an index of docker's: full names are in containerd's annotation.
const Descriptor* find_in_index(const Index& index, const std::string& reference) {
  if (reference.empty()) return index.manifests.size() == 1 ? &index.manifests[0] : nullptr;
  for (const Descriptor& each : index.manifests) {
    const std::string* full = each.annotations.find(kContainerdName);
    if ((full != nullptr && is_same_name(*full, reference)) || has_name(each, reference))
      return &each;
  }
  return nullptr;
}

// Docker 25.0 wrote manifests without layers (moby issue 47065): not what was saved.
bool is_usable(const Document& document) {
  const auto* manifest = std::get_if<Manifest>(&document);
  return manifest == nullptr || !manifest->layers.empty();
}

}  // namespace

Result<std::unique_ptr<ArchiveSource>> ArchiveSource::open_layout(TarFile file,
                                                                  const std::string& reference,
                                                                  const Platform& platform) {
  if (!file.has("index.json")) {
    return with_hint(make_error(ErrorKind::invalid_config, "the archive has no index.json"),
                     "for an archive of Docker, use docker-archive:FILE");
  }
  std::string text = TRY(file.read("index.json", kManifestLimit));
  if (file.has("oci-layout")) {
    const std::string version = TRY(file.read("oci-layout", kVersionLimit));
    TRY(check_layout_version(version));
  } else {
    warn_of_missing_version("the archive");
  }
  const Index index = TRY(parse_index(std::move(text), {}));
  const Descriptor named = *TRY(find_image(index, reference, platform));
  std::unique_ptr<ArchiveSource> source(new ArchiveSource(std::move(file)));
  source->named_ = named;
  return source;
}

Result<std::unique_ptr<ArchiveSource>> ArchiveSource::open_docker(TarFile file,
                                                                  const std::string& reference,
                                                                  const Platform&) {
  std::unique_ptr<ArchiveSource> source(new ArchiveSource(std::move(file)));
  if (source->file_.has("index.json")) {
    std::string text = TRY(source->file_.read("index.json", kManifestLimit));
    const Result<Index> index = parse_index(std::move(text), {});
    const Descriptor* found = index ? find_in_index(index.value(), reference) : nullptr;
    if (found != nullptr) {
      const Result<Document> document = source->document(*found);
      source->named_ = *found;
      if (document && is_usable(document.value())) return source;
    }
  }
  const Result<std::string> list = source->file_.read("manifest.json", kArchiveJsonLimit);
  if (!list) return with_hint(list.error(), "for an OCI archive, use oci-archive:FILE");
  const std::vector<DockerImage> images = TRY(parse_docker_images(list.value()));
  const DockerImage* image = TRY(choose(images, reference));
  TRY(source->make_manifest(image->config, image->layers));
  return source;
}

Result<Descriptor> ArchiveSource::describe_layer(const std::string& name) {
  const TarFile::Part part = TRY(file_.find(name));
  Hasher hasher(Algorithm::sha256);
  std::vector<char> buffer(kPortion);
  std::string first;
  for (uint64_t done = 0; done < part.size;) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), part.size - done));
    const long count =
        sys::pread(file_.fd(), buffer.data(), wanted, static_cast<int64_t>(part.offset + done));
    if (count <= 0) return system_error(count == 0 ? -EIO : count, "read", name);
    if (done == 0) first.assign(buffer.data(), std::min<size_t>(4, static_cast<size_t>(count)));
    hasher.update({buffer.data(), static_cast<size_t>(count)});
    done += static_cast<uint64_t>(count);
  }
  Descriptor layer;
  layer.media_type = first.starts_with("\x1f\x8b")           ? media_type::kLayerGzip
                     : first.starts_with("\x28\xb5\x2f\xfd") ? media_type::kLayerZstd
                                                             : media_type::kLayer;
  layer.digest = hasher.finish();
  layer.size = part.size;
  by_digest_.emplace(layer.digest, name);
  return layer;
}

Result<> ArchiveSource::make_manifest(const std::string& config,
                                      const std::vector<std::string>& layers) {
  const std::string bytes = TRY(file_.read(config, kConfigLimit));
  Descriptor described;
  described.media_type = media_type::kConfig;
  described.digest = digest_of(bytes);
  described.size = bytes.size();
  by_digest_.emplace(described.digest, config);
  JsonWriter json;
  json.begin_object().field("schemaVersion", 2).field("mediaType", media_type::kManifest);
  json.key("config").number(entry_json(described, ""));
  json.key("layers").begin_array();
  for (const std::string& layer : layers) {
    const Descriptor blob = TRY(describe_layer(layer));
    json.number(entry_json(blob, ""));
  }
  json.end_array().end_object();
  made_ = std::move(json).take();
  named_ = {};
  named_.media_type = media_type::kManifest;
  named_.digest = digest_of(made_);
  named_.size = made_.size();
  return {};
}

Result<ImageSource::Named> ArchiveSource::named() {
  Document document = TRY(this->document(named_));
  return with_type(named_, std::move(document));
}

Result<TarFile::Part> ArchiveSource::find(const Descriptor& descriptor) const {
  const auto other = by_digest_.find(descriptor.digest);
  const TarFile::Part part =
      TRY(file_.find(other == by_digest_.end() ? blob_path(descriptor.digest) : other->second));
  if (part.size == descriptor.size) return part;
  return make_error(ErrorKind::invalid_config, descriptor.digest.text(), " has ", part.size,
                    " bytes in the archive, but its descriptor says ", descriptor.size);
}

Result<Document> ArchiveSource::document(const Descriptor& descriptor) {
  if (!made_.empty() && descriptor.digest == named_.digest)
    return parse_document(made_, media_type::kManifest);
  TRY(find(descriptor));
  std::string bytes = TRY(file_.read(blob_path(descriptor.digest), kManifestLimit));
  TRY(verify(bytes, descriptor.digest, descriptor.size));
  return parse_document(std::move(bytes), descriptor.media_type);
}

Result<> ArchiveSource::fetch(PartialBlob& blob) {
  const TarFile::Part part = TRY(find(blob.descriptor()));
  std::vector<char> buffer(kPortion);
  while (!blob.is_complete()) {
    const size_t wanted =
        static_cast<size_t>(std::min<uint64_t>(buffer.size(), part.size - blob.size()));
    const long count = sys::pread(file_.fd(), buffer.data(), wanted,
                                  static_cast<int64_t>(part.offset + blob.size()));
    if (count <= 0) return system_error(count == 0 ? -EIO : count, "read", "archive");
    TRY(blob.append({buffer.data(), static_cast<size_t>(count)}));
  }
  return {};
}

Result<UniqueFd> ArchiveSource::open(const Descriptor& descriptor) {
  const TarFile::Part part = TRY(find(descriptor));
  UniqueFd spool = TRY(open_spool());
  int64_t offset = static_cast<int64_t>(part.offset);
  for (uint64_t left = part.size; left > 0;) {
    const long count = sys::call(SYS_sendfile, spool.get(), file_.fd(), &offset,
                                 std::min<uint64_t>(left, 1u << 30));
    if (count <= 0) return system_error(count == 0 ? -EIO : count, "sendfile", "archive");
    left -= static_cast<uint64_t>(count);
  }
  if (lseek(spool.get(), 0, SEEK_SET) < 0) return system_error(-errno, "lseek", "archive");
  return spool;
}

}  // namespace onggi::image
