// SPDX-License-Identifier: Apache-2.0
// The order of checks: sizes and digests of the documents, then layer by layer the blob's digest
// and the diffID. Whoever calls makes the result visible only when all has passed.
#include "store/image.h"

#include "base/log.h"
#include "model/media_type.h"

namespace onggi::image {
namespace {

constexpr int kIndexDepth = 4;

Result<Document> read_document(const Layout& layout, const Descriptor& descriptor) {
  std::string bytes = TRY(layout.read(descriptor, kManifestLimit));
  return parse_document(std::move(bytes), descriptor.media_type);
}

// Not an error: the layers decide what is in the image, this only what it is called.
void check_platform(const ImageConfig& config, const Platform& wanted) {
  if (config.os == wanted.os && config.architecture == wanted.architecture) return;
  log::warn("the platform of the image is " + config.os + "/" + config.architecture + ", not for " +
            platform_text(wanted));
}

FixedText<128> layer_name(size_t index) {
  return text<128>("layers[", index, "]");
}

}  // namespace

Result<Image> read_image(const Layout& layout, const Descriptor& named, const Platform& platform) {
  Descriptor descriptor = named;
  for (int depth = 0; depth <= kIndexDepth; ++depth) {
    Document document = TRY(read_document(layout, descriptor));
    if (const auto* index = std::get_if<Index>(&document)) {
      descriptor = *TRY(choose_manifest(*index, platform));
      continue;
    }
    Image image{descriptor, std::get<Manifest>(std::move(document)), {}};
    if (media_kind(image.manifest.config.media_type) != MediaKind::config) {
      return with_hint(unsupported("config.mediaType", "\"", image.manifest.config.media_type,
                                   "\" is not an image config"),
                       "this is an artifact, not an image");
    }
    std::string bytes = TRY(layout.read(image.manifest.config, kConfigLimit));
    image.config = TRY(parse_image_config(std::move(bytes)));
    TRY(check_image(image.manifest, image.config));
    check_platform(image.config, platform);
    return image;
  }
  return make_error(ErrorKind::invalid_config, "indexes are nested deeper than ", kIndexDepth);
}

Result<> apply_layer(const Layout& layout, const Image& image, size_t number, Rootfs& rootfs,
                     Attributes& attributes, const LayerReading& reading) {
  const Descriptor& layer = image.manifest.layers[number];
  const std::string name(layer_name(number).view());
  UniqueFd blob = TRY_AT(name, layout.open_blob(layer));
  LayerStream stream(std::move(blob), layer, image.config.rootfs.diff_ids[number], reading.limits,
                     reading.digest);
  TarReader tar(stream);
  const Result<> applied =
      LayerApplier(rootfs, attributes, reading.limits, reading.content).apply(tar);
  if (!applied) {
    Error error = applied.error();
    const std::string entry(error.place.view());
    error.place = FixedText<128>(entry.empty() ? name : name + " " + entry);
    return error;
  }
  TRY_AT(name, stream.finish());
  return {};
}

Result<> unpack_layers(const Layout& layout, const Image& image, UniqueFd root,
                       const LayerLimits& limits) {
  // What a layer's own entry for the root changes; most have none.
  const long opened_up = sys::fchmod(root.get(), 0755);
  if (opened_up < 0) return system_error(opened_up, "chmod", "/");
  Rootfs rootfs(std::move(root));
  Notices notices;
  Attributes attributes(notices);
  for (size_t i = 0; i < image.manifest.layers.size(); ++i)
    TRY(apply_layer(layout, image, i, rootfs, attributes, {.limits = limits}));
  return {};
}

}  // namespace onggi::image
