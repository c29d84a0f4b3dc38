// SPDX-License-Identifier: Apache-2.0
// The media types of images: those of the OCI image-spec and of Docker's schema 2.
#pragma once

#include <cstdint>
#include <string_view>

namespace onggi::image {

enum class MediaKind : uint8_t {
  unknown,
  manifest,
  index,
  config,
  layer,
  foreign_layer,  // may carry urls; is not pushed unless asked
  unsupported_docker_schema_1,
};

// Parameters ("; charset=utf-8") are ignored.
MediaKind media_kind(std::string_view media_type);
std::string_view without_parameters(std::string_view media_type);

namespace media_type {
inline constexpr std::string_view kManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerList =
    "application/vnd.docker.distribution.manifest.list.v2+json";
}  // namespace media_type

}  // namespace onggi::image
