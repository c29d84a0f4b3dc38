// SPDX-License-Identifier: Apache-2.0
// Names of images in registries: "alpine", "localhost:5000/team/web:1.2", "ghcr.io/a/b@sha256:...".
// Short names are Docker Hub's here; what registries.conf says of them is in store/short_names.h.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace onggi::image {

struct Reference {
  std::string registry;    // "docker.io", "localhost:5000", "[::1]:5000"
  std::string repository;  // "library/alpine"
  std::string tag;         // empty only beside a digest
  std::string digest;      // empty, or decides over the tag

  // What stands behind ".../manifests/" in a request.
  const std::string& version() const { return digest.empty() ? tag : digest; }
};

// ErrorKind::invalid_config names what is wrong with the text.
Result<Reference> parse_reference(std::string_view text);

// Whether it names no registry: "alpine", "team/web:1". The text must be a reference.
bool is_short_name(std::string_view text);

// In full: "docker.io/library/alpine:latest".
std::string to_text(const Reference& reference);

// The host that serves a registry; only Docker Hub's differs from its name.
std::string_view host_of(std::string_view registry);

}  // namespace onggi::image
