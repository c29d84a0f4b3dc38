// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/known_documents.h"

#include "base/log.h"

namespace onggi::image {

std::optional<Document> KnownDocuments::stored(const Descriptor& descriptor) const {
  const Result<bool> there = store_.layout().has(descriptor);
  if (!there || !there.value()) return std::nullopt;
  const Result<Layout> layout = store_.read();
  if (!layout) return std::nullopt;
  Result<std::string> bytes = layout.value().read(descriptor, kManifestLimit);
  if (!bytes) return std::nullopt;
  Result<Document> document = parse_document(std::move(bytes).value(), descriptor.media_type);
  if (!document) return std::nullopt;
  log::debug("not fetched again: " + descriptor.digest.text());
  return std::move(document).value();
}

Result<ImageSource::Named> KnownDocuments::named() {
  // A first pull does without the further request.
  if (store_.find(name_)) {
    const std::optional<Descriptor> announced = registry_->announced();
    if (announced) {
      std::optional<Document> document = stored(*announced);
      if (document) return Named{*announced, std::move(*document)};
    }
  }
  Named named = TRY(registry_->named());
  const std::string& bytes =
      std::visit([](const auto& each) -> const std::string& { return each.raw; }, named.document);
  TRY(store_.layout().write(named.descriptor, bytes));
  return named;
}

Result<Document> KnownDocuments::document(const Descriptor& descriptor) {
  std::optional<Document> document = stored(descriptor);
  if (document) return std::move(*document);
  return registry_->document(descriptor);
}

}  // namespace onggi::image
