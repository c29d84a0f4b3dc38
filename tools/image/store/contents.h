// SPDX-License-Identifier: Apache-2.0
// What the documents of an image refer to: for gc, for verify and for lists.
#pragma once

#include "store/store.h"

#include <map>
#include <optional>
#include <set>
#include <vector>

namespace onggi::image {

// A manifest below a name, with its config if it is an image: not of an artifact or attestation,
// whose config and layers are whatever their publisher likes.
struct StoredManifest {
  Descriptor descriptor;
  Manifest manifest;
  std::optional<ImageConfig> config;
};

struct Contents {
  std::vector<StoredManifest> manifests;
  std::map<Digest, Descriptor> blobs;  // all, documents too
  std::vector<Digest> missing;         // manifests that an index lists and nobody has copied

  struct Damaged {
    Digest document;
    Error error;
  };
  std::vector<Damaged> damaged;  // of survey() alone

  uint64_t size() const;  // of all blobs, each once
};

// All that a descriptor stands for, without what damaged documents refer to.
Contents survey(const Layout& layout, const Descriptor& named);
// The same, whole. A document that is damaged is an error; what is damaged in
// layers is not noticed. Parts for other platforms need not be there.
Result<Contents> contents_of(const Layout& layout, const Descriptor& named);
// The same of a manifest whose digest alone is known; nothing if it is not there.
Result<std::optional<Contents>> contents_of(const Layout& layout, const Digest& manifest);

// Every layer's chain ID.
std::set<Digest> chains_of(const Contents& contents);

}  // namespace onggi::image
