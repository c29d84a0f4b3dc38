// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "store/contents.h"

#include "model/media_type.h"
#include "store/snapshots.h"

namespace onggi::image {

namespace {

constexpr int kIndexDepth = 4;

class Walk {
 public:
  explicit Walk(const Layout& layout) : layout_(layout) {}

  Contents found;

  Result<> add(const Descriptor& descriptor, int depth) {
    if (!found.blobs.emplace(descriptor.digest, descriptor).second) return {};
    std::string bytes = TRY(layout_.read(descriptor, kManifestLimit));
    Document document =
        TRY_AT(descriptor.digest.text(), parse_document(std::move(bytes), descriptor.media_type));
    if (auto* manifest = std::get_if<Manifest>(&document))
      return add_manifest(descriptor, std::move(*manifest));
    if (depth == kIndexDepth) {
      return make_error(ErrorKind::invalid_config, "indexes are nested deeper than ", kIndexDepth);
    }
    for (const Descriptor& each : std::get<Index>(document).manifests) {
      if (TRY(is_there(each))) {
        TRY(add(each, depth + 1));
      } else {
        found.missing.push_back(each.digest);
      }
    }
    return {};
  }

 private:
  Result<bool> is_there(const Descriptor& descriptor) {
    const Result<UniqueFd> opened = layout_.open_blob(descriptor);
    if (!opened && opened.error().errnum != ENOENT) return opened.error();
    return static_cast<bool>(opened);
  }

  Result<> add_manifest(const Descriptor& descriptor, Manifest manifest) {
    StoredManifest stored{descriptor, std::move(manifest), {}};
    const Descriptor& config = stored.manifest.config;
    found.blobs.emplace(config.digest, config);
    for (const Descriptor& layer : stored.manifest.layers) found.blobs.emplace(layer.digest, layer);
    if (media_kind(config.media_type) == MediaKind::config && TRY(is_there(config))) {
      std::string bytes = TRY(layout_.read(config, kConfigLimit));
      stored.config = TRY_AT(config.digest.text(), parse_image_config(std::move(bytes)));
    }
    found.manifests.push_back(std::move(stored));
    return {};
  }

  const Layout& layout_;
};

}  // namespace

uint64_t Contents::size() const {
  uint64_t sum = 0;
  for (const auto& [digest, blob] : blobs) sum += blob.size;
  return sum;
}

Result<Contents> contents_of(const Layout& layout, const Descriptor& named) {
  Walk walk(layout);
  TRY(walk.add(named, 0));
  return std::move(walk.found);
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
