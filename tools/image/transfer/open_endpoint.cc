// SPDX-License-Identifier: Apache-2.0
// One row for each transport.
#include "transfer/open_endpoint.h"

#include "transfer/layout_endpoint.h"

#include <algorithm>

namespace onggi::image {

namespace {

using Source = Result<std::unique_ptr<ImageSource>>;
using Target = Result<std::unique_ptr<ImageTarget>>;

Source open_store_source(const Endpoint& endpoint, const EndpointContext& context) {
  const StoredImage image = TRY(context.store->find(endpoint.place));
  Layout layout = TRY(context.store->read());
  return std::make_unique<LayoutSource>(std::move(layout), image.descriptor);
}

Target open_store_target(const Endpoint& endpoint, const EndpointContext& context) {
  std::string name = TRY(full_name(endpoint.place));
  return std::make_unique<StoreTarget>(*context.store, std::move(name));
}

Source open_layout_source(const Endpoint& endpoint, const EndpointContext& context) {
  Layout layout = TRY(Layout::open(endpoint.place));
  const Descriptor named = *TRY(layout.find(endpoint.reference, context.platform));
  return std::make_unique<LayoutSource>(std::move(layout), named);
}

Target open_layout_target(const Endpoint& endpoint, const EndpointContext&) {
  return TRY(LayoutTarget::open(endpoint.place, endpoint.reference));
}

struct Row {
  Transport transport;
  std::string_view prefix;
  Source (*source)(const Endpoint&, const EndpointContext&);
  Target (*target)(const Endpoint&, const EndpointContext&);
};
constexpr Row kRows[] = {
    {Transport::store, "", open_store_source, open_store_target},
    {Transport::layout, "oci:", open_layout_source, open_layout_target},
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
    const size_t colon = std::min(rest.find(':'), rest.size());
    endpoint = {row.transport, std::string(rest.substr(0, colon)),
                std::string(rest.substr(std::min(colon + 1, rest.size())))};
    if (!endpoint.place.empty()) return endpoint;
    return make_error(ErrorKind::invalid_config, "'", text, "' has no path behind ", row.prefix);
  }
  endpoint.place = text;
  if (!text.empty()) return endpoint;
  return make_error(ErrorKind::invalid_config, "an image has no empty name");
}

Source open_source(const Endpoint& endpoint, const EndpointContext& context) {
  return row_of(endpoint.transport).source(endpoint, context);
}

Target open_target(const Endpoint& endpoint, const EndpointContext& context) {
  return row_of(endpoint.transport).target(endpoint, context);
}

}  // namespace onggi::image
