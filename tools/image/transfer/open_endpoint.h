// SPDX-License-Identifier: Apache-2.0
// The ends of a copy as a user writes them: NAME (in the store), docker://NAME (in a registry),
// oci:DIR[:REFERENCE], oci-archive:FILE[:REFERENCE], docker-archive:FILE[:REFERENCE].
#pragma once

#include "model/platform.h"
#include "store/store.h"
#include "transfer/registries.h"

#include <memory>
#include <string_view>

namespace onggi::image {

enum class Transport : uint8_t { store, registry, layout, layout_archive, docker_archive };

struct Endpoint {
  Transport transport = Transport::store;
  std::string place;      // the store's or the registry's name, or a path
  std::string reference;  // behind the path; may be empty
};
Result<Endpoint> parse_endpoint(std::string_view text);

struct EndpointContext {
  const Store* store = nullptr;      // must outlive what is opened
  Platform platform;                 // decides in a layout whose images have no names
  Registries* registries = nullptr;  // must outlive what is opened, too
};
Result<std::unique_ptr<ImageSource>> open_source(const Endpoint& endpoint,
                                                 const EndpointContext& context);
// `source` is what is to be copied, named `from`; it must outlive the target.
Result<std::unique_ptr<ImageTarget>> open_target(const Endpoint& endpoint,
                                                 const EndpointContext& context,
                                                 ImageSource& source, const Endpoint& from);

}  // namespace onggi::image
