// SPDX-License-Identifier: Apache-2.0
// One row for each transport.
#include "transfer/open_endpoint.h"

#include "transfer/archive_source.h"
#include "transfer/archive_target.h"
#include "transfer/known_documents.h"
#include "transfer/layout_endpoint.h"
#include "transfer/registry_endpoint.h"

#include <algorithm>

namespace onggi::image {

namespace {

using Source = Result<std::unique_ptr<ImageSource>>;
using Target = Result<std::unique_ptr<ImageTarget>>;

struct Copied {
  ImageSource& source;
  const Endpoint& from;
};

Source open_store_source(const Endpoint& endpoint, const EndpointContext& context) {
  const StoredImage image = TRY(context.store->find(endpoint.place));
  Layout layout = TRY(context.store->read());
  return std::make_unique<LayoutSource>(std::move(layout), image.descriptor);
}

Target open_store_target(const Endpoint& endpoint, const EndpointContext& context, const Copied&) {
  std::string name = TRY(full_name(endpoint.place));
  return std::make_unique<StoreTarget>(*context.store, std::move(name));
}

Source open_registry_source(const Endpoint& endpoint, const EndpointContext& context) {
  const Reference image = TRY(parse_reference(endpoint.place));
  std::unique_ptr<RegistrySource> registry = TRY(context.registries->source(image));
  if (context.store == nullptr) return registry;
  return std::make_unique<KnownDocuments>(std::move(registry), *context.store, to_text(image));
}

// What came from the registry that it is to go to may be there in another repository.
Target open_registry_target(const Endpoint& endpoint, const EndpointContext& context,
                            const Copied& copied) {
  const Reference image = TRY(parse_reference(endpoint.place));
  const Transport transport = copied.from.transport;
  const bool has_reference = transport == Transport::store || transport == Transport::registry;
  const Result<Reference> from = parse_reference(has_reference ? copied.from.place : "");
  return TRY(context.registries->target(image, copied.source, from ? &from.value() : nullptr));
}

Source open_layout_source(const Endpoint& endpoint, const EndpointContext& context) {
  Layout layout = TRY(Layout::open(endpoint.place));
  const Descriptor named = *TRY(layout.find(endpoint.reference, context.platform));
  return std::make_unique<LayoutSource>(std::move(layout), named);
}

std::string without_digest(const std::string& name) {
  const size_t at = name.find('@');
  if (at == name.npos) return name;
  // "latest" is what a name without tag means, but not one with a digest.
  const Result<Reference> reference = parse_reference(name);
  if (!reference || reference.value().tag.empty()) return {};
  return name.substr(0, at);
}

// What the image is to be called in a layout or an archive: by the user's word, or as in its
// source.
std::string target_name(const Endpoint& endpoint, const EndpointContext& context,
                        const Endpoint& from) {
  if (!endpoint.reference.empty()) return endpoint.reference;
  if (from.transport == Transport::store) {
    const Result<StoredImage> image = context.store->find(from.place);
    return image ? without_digest(image.value().name) : std::string();
  }
  if (from.transport != Transport::registry) return from.reference;
  const Result<Reference> image = parse_reference(from.place);
  return image ? without_digest(to_text(image.value())) : std::string();
}

Target open_layout_target(const Endpoint& endpoint, const EndpointContext& context,
                          const Copied& copied) {
  return TRY(LayoutTarget::open(endpoint.place, target_name(endpoint, context, copied.from)));
}

template <auto Open>
Source open_archive_source(const Endpoint& endpoint, const EndpointContext& context) {
  TarFile file = TRY(TarFile::open(endpoint.place));
  return TRY_AT(endpoint.place, Open(std::move(file), endpoint.reference, context.platform));
}

template <ArchiveKind Kind>
Target open_archive_target(const Endpoint& endpoint, const EndpointContext& context,
                           const Copied& copied) {
  return TRY(
      ArchiveTarget::open(Kind, endpoint.place, target_name(endpoint, context, copied.from)));
}

struct Row {
  Transport transport;
  std::string_view prefix;
  Source (*source)(const Endpoint&, const EndpointContext&);
  Target (*target)(const Endpoint&, const EndpointContext&, const Copied&);
  bool has_path;
};
constexpr Row kRows[] = {
    {Transport::store, "", open_store_source, open_store_target, false},
    {Transport::registry, "docker://", open_registry_source, open_registry_target, false},
    {Transport::layout, "oci:", open_layout_source, open_layout_target, true},
    {Transport::layout_archive, "oci-archive:", open_archive_source<&ArchiveSource::open_layout>,
     open_archive_target<ArchiveKind::layout>, true},
    {Transport::docker_archive, "docker-archive:", open_archive_source<&ArchiveSource::open_docker>,
     open_archive_target<ArchiveKind::docker>, true},
};

const Row& row_of(Transport transport) {
  return *std::ranges::find(kRows, transport, &Row::transport);
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  Endpoint endpoint;
  for (const Row& row : kRows) {
    if (row.prefix.empty() || !text.starts_with(row.prefix)) continue;
    std::string_view rest = text.substr(row.prefix.size());
    const size_t colon = row.has_path ? std::min(rest.find(':'), rest.size()) : rest.size();
    endpoint = {row.transport, std::string(rest.substr(0, colon)),
                std::string(rest.substr(std::min(colon + 1, rest.size())))};
    if (!endpoint.place.empty()) return endpoint;
    return make_error(ErrorKind::invalid_config, "'", text, "' has nothing after ", row.prefix);
  }
  endpoint.place = text;
  if (!text.empty()) return endpoint;
  return make_error(ErrorKind::invalid_config, "an image name must not be empty");
}

Source open_source(const Endpoint& endpoint, const EndpointContext& context) {
  return row_of(endpoint.transport).source(endpoint, context);
}

Target open_target(const Endpoint& endpoint, const EndpointContext& context, ImageSource& source,
                   const Endpoint& from) {
  return row_of(endpoint.transport).target(endpoint, context, {source, from});
}

}  // namespace onggi::image
