// SPDX-License-Identifier: Apache-2.0
// Bytes from a registry or a layout -> manifest, index or image config. Everything here is hostile
// until its digest fits; sizes are limited before anything is parsed.
#pragma once

#include "model/descriptor.h"

namespace onggi::image {

// distribution-spec: registries take manifests of 4 MiB at least; nobody sends larger ones.
constexpr uint64_t kManifestLimit = 4u << 20;
constexpr uint64_t kConfigLimit = 8u << 20;

using Document = std::variant<Manifest, Index>;

// `declared` is the media type that a Content-Type or a descriptor gave, or empty. Refused: another
// "mediaType" in the body, and a body that can be read as manifest and as index (CVE-2021-41190).
Result<Document> parse_document(std::string bytes, std::string_view declared);
// The same, where only one of the two will do.
Result<Index> parse_index(std::string bytes, std::string_view declared);

Result<ImageConfig> parse_image_config(std::string bytes);

// An image whose layers can be unpacked: layers and diffIDs match in number, media types are known.
Result<> check_image(const Manifest& manifest, const ImageConfig& config);

}  // namespace onggi::image
