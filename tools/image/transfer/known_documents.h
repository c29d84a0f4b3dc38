// SPDX-License-Identifier: Apache-2.0
// A registry whose manifests are only asked for when the store has not got them: registries count
// them (Docker Hub's limit of pulls), and HEAD, which tells a tag's digest, they do not.
#pragma once

#include "store/store.h"
#include "transfer/registry_endpoint.h"

namespace onggi::image {

class KnownDocuments final : public ImageSource {
 public:
  // `name` is what the image has in the store if it was pulled before; `store` must outlive this.
  KnownDocuments(std::unique_ptr<RegistrySource> registry, const Store& store, std::string name)
      : registry_(std::move(registry)), store_(store), name_(std::move(name)) {}

  // What a tag names is kept as a blob: the store's own entry may be the manifest for one platform
  // alone. `gc` takes such a blob, and the next pull fetches it again.
  Result<Named> named() override;
  Result<Document> document(const Descriptor& descriptor) override;
  Result<> fetch(PartialBlob& blob) override { return registry_->fetch(blob); }
  Result<UniqueFd> open(const Descriptor& descriptor) override {
    return registry_->open(descriptor);
  }

 private:
  // Nothing: it has to be fetched. Also what is damaged, which the fetched one takes the place of.
  std::optional<Document> stored(const Descriptor& descriptor) const;

  std::unique_ptr<RegistrySource> registry_;
  const Store& store_;
  const std::string name_;
};

}  // namespace onggi::image
