// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/source_image.h"

#include "base/file.h"
#include "base/log.h"
#include "model/media_type.h"

namespace onggi::image {

namespace {

constexpr int kIndexDepth = 4;

}  // namespace

ImageSource::Named with_type(Descriptor descriptor, Document document) {
  if (descriptor.media_type.empty())
    log::warn(descriptor.digest.text() + ": its descriptor has no mediaType");
  std::visit([&](const auto& each) { descriptor.media_type = each.media_type; }, document);
  return {std::move(descriptor), std::move(document)};
}

Result<ImageSource::Named> choose_platform(ImageSource& source, ImageSource::Named named,
                                           const Platform& platform) {
  for (int depth = 0; depth <= kIndexDepth; ++depth) {
    const auto* index = std::get_if<Index>(&named.document);
    if (index == nullptr) return named;
    const Descriptor chosen = *TRY(choose_manifest(*index, platform));
    Document document = TRY(source.document(chosen));
    named = with_type(chosen, std::move(document));
  }
  return make_error(ErrorKind::invalid_config, "indexes are nested deeper than ", kIndexDepth);
}

Result<SourceImage> read_source_image(ImageSource& source, const Platform& platform) {
  ImageSource::Named named = TRY(source.named());
  ImageSource::Named manifest = TRY(choose_platform(source, named, platform));
  SourceImage image{std::move(named), std::move(manifest), {}};
  const Descriptor& config = std::get<Manifest>(image.manifest.document).config;
  if (media_kind(config.media_type) != MediaKind::config) return image;
  if (config.size > kConfigLimit) {
    return make_error(ErrorKind::invalid_config, "the image config has ", config.size,
                      " bytes, more than the limit of ", kConfigLimit);
  }
  const UniqueFd file = TRY(source.open(config));
  std::string bytes = TRY(read_all(file.get(), config.digest.text(), config.size));
  TRY(verify(bytes, config.digest, config.size));
  image.config = TRY(parse_image_config(std::move(bytes)));
  return image;
}

}  // namespace onggi::image
