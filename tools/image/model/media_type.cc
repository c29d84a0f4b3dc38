// SPDX-License-Identifier: Apache-2.0
// One table. What compression a layer has is not in it: the bytes tell, and media types lie.
#include "model/media_type.h"

#include <algorithm>

namespace onggi::image {
namespace {

struct Row {
  std::string_view name;
  MediaKind kind;
};
constexpr Row kRows[] = {
    {media_type::kManifest, MediaKind::manifest},
    {media_type::kDockerManifest, MediaKind::manifest},
    {media_type::kIndex, MediaKind::index},
    {media_type::kDockerList, MediaKind::index},
    {media_type::kConfig, MediaKind::config},
    {"application/vnd.docker.container.image.v1+json", MediaKind::config},
    {media_type::kLayer, MediaKind::layer},
    {media_type::kLayerGzip, MediaKind::layer},
    {media_type::kLayerZstd, MediaKind::layer},
    {"application/vnd.docker.image.rootfs.diff.tar", MediaKind::layer},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", MediaKind::layer},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", MediaKind::layer},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar", MediaKind::foreign_layer},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MediaKind::foreign_layer},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MediaKind::foreign_layer},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar", MediaKind::foreign_layer},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MediaKind::foreign_layer},
    {"application/vnd.docker.distribution.manifest.v1+json",
     MediaKind::unsupported_docker_schema_1},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws",
     MediaKind::unsupported_docker_schema_1},
};

}  // namespace

std::string_view without_parameters(std::string_view media_type) {
  std::string_view name = media_type.substr(0, media_type.find(';'));
  while (name.ends_with(' ')) name.remove_suffix(1);
  return name;
}

MediaKind media_kind(std::string_view media_type) {
  const auto row = std::ranges::find(kRows, without_parameters(media_type), &Row::name);
  return row == std::end(kRows) ? MediaKind::unknown : row->kind;
}

}  // namespace onggi::image
