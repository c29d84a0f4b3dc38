// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/contents.h"

#include "model/media_type.h"
#include "store/snapshots.h"

#include <algorithm>

namespace onggi::image {

namespace {

constexpr int kIndexDepth = 4;

bool has_image_types(const Manifest& manifest) {
  return media_kind(manifest.config.media_type) == MediaKind::config &&
         std::ranges::all_of(manifest.layers, [](const Descriptor& layer) {
           const MediaKind kind = media_kind(layer.media_type);
           return kind == MediaKind::layer || kind == MediaKind::foreign_layer;
         });
}

class Walk {
 public:
  explicit Walk(const Layout& layout) : layout_(layout) {}

  Contents found;

  void add(const Descriptor& descriptor, int depth) {
    if (!found.blobs.emplace(descriptor.digest, descriptor).second) return;
    // An index may list what is neither, and who does not know it ignores it (image-index.md).
    const bool is_other = depth > 0 && !descriptor.media_type.empty() &&
                          media_kind(descriptor.media_type) == MediaKind::unknown;
    if (is_other) return;
    const Result<> added = add_document(descriptor, depth);
    if (!added) found.damaged.push_back({descriptor.digest, added.error()});
  }

 private:
  Result<> add_document(const Descriptor& descriptor, int depth) {
    std::string bytes = TRY(layout_.read(descriptor, kManifestLimit));
    Document document =
        TRY_AT(descriptor.digest.text(), parse_document(std::move(bytes), descriptor.media_type));
    if (auto* manifest = std::get_if<Manifest>(&document)) {
      add_manifest(descriptor, std::move(*manifest));
      return {};
    }
    if (depth == kIndexDepth) {
      return make_error(ErrorKind::invalid_config, "indexes are nested deeper than ", kIndexDepth);
    }
    for (const Descriptor& each : std::get<Index>(document).manifests) {
      if (TRY(is_there(each))) {
        add(each, depth + 1);
      } else {
        found.missing.push_back(each.digest);
      }
    }
    return {};
  }

  Result<bool> is_there(const Descriptor& descriptor) const {
    const Result<UniqueFd> opened = layout_.open_blob(descriptor);
    if (!opened && opened.error().errnum != ENOENT) return opened.error();
    return static_cast<bool>(opened);
  }

  void add_manifest(const Descriptor& descriptor, Manifest manifest) {
    StoredManifest stored{descriptor, std::move(manifest), {}};
    const Descriptor& config = stored.manifest.config;
    found.blobs.emplace(config.digest, config);
    for (const Descriptor& layer : stored.manifest.layers) found.blobs.emplace(layer.digest, layer);
    Result<std::optional<ImageConfig>> read = config_of(stored.manifest);
    if (read) {
      stored.config = std::move(read).value();
    } else {
      found.damaged.push_back({config.digest, read.error()});
    }
    found.manifests.push_back(std::move(stored));
  }

  // An error: the config is damaged. One that came as its digest says and is none is an artifact's:
  // some programs give those the type of an image's config.
  Result<std::optional<ImageConfig>> config_of(const Manifest& manifest) const {
    if (!has_image_types(manifest) || !TRY(is_there(manifest.config)))
      return std::optional<ImageConfig>();
    std::string bytes = TRY(layout_.read(manifest.config, kConfigLimit));
    Result<ImageConfig> config = parse_image_config(std::move(bytes));
    if (!config) return std::optional<ImageConfig>();
    return std::optional(std::move(config).value());
  }

  const Layout& layout_;
};

}  // namespace

uint64_t Contents::size() const {
  uint64_t sum = 0;
  for (const auto& [digest, blob] : blobs) sum += blob.size;
  return sum;
}

Contents survey(const Layout& layout, const Descriptor& named) {
  Walk walk(layout);
  walk.add(named, 0);
  return std::move(walk.found);
}

Result<Contents> contents_of(const Layout& layout, const Descriptor& named) {
  Contents contents = survey(layout, named);
  if (!contents.damaged.empty()) return contents.damaged.front().error;
  return contents;
}

Result<std::optional<Contents>> contents_of(const Layout& layout, const Digest& manifest) {
  Descriptor descriptor;
  descriptor.digest = manifest;
  const Result<UniqueFd> opened = layout.open_blob(descriptor);
  if (!opened && opened.error().errnum == ENOENT) return std::optional<Contents>();
  if (!opened) return opened.error();
  struct statx info = {};
  const long found = sys::statx(opened.value().get(), "", AT_EMPTY_PATH, STATX_SIZE, &info);
  if (found < 0) return system_error(found, "statx", manifest.text());
  descriptor.size = info.stx_size;
  Contents contents = TRY(contents_of(layout, descriptor));
  return std::optional(std::move(contents));
}

std::set<Digest> chains_of(const Contents& contents) {
  std::set<Digest> chains;
  for (const StoredManifest& each : contents.manifests) {
    if (!each.config) continue;
    for (Digest& id : chain_ids(each.config->rootfs.diff_ids)) chains.insert(std::move(id));
  }
  return chains;
}

}  // namespace onggi::image
