// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "transfer/registries.h"

namespace onggi::image {

namespace {

Result<Routes> routes_of(const Reference& image) {
  return find_routes(TRY(registries_files()), image);
}

}  // namespace

Result<std::unique_ptr<RegistrySource>> Registries::source(const Reference& image) {
  const Routes routes = TRY(routes_of(image));
  return std::make_unique<RegistrySource>(routes.pull, options_, clock_);
}

Result<std::unique_ptr<RegistryTarget>> Registries::target(const Reference& image,
                                                           ImageSource& source,
                                                           const Reference* mounts_from) {
  const Routes routes = TRY(routes_of(image));
  const bool is_neighbour = mounts_from != nullptr && mounts_from->registry == image.registry &&
                            mounts_from->repository != image.repository;
  return std::make_unique<RegistryTarget>(routes.push, options_, clock_, source,
                                          is_neighbour ? mounts_from->repository : std::string());
}

Result<std::unique_ptr<Access>> Registries::access(const Reference& image) {
  const Routes routes = TRY(routes_of(image));
  return std::make_unique<Access>(routes.push.image, permitted(options_, routes.push), clock_);
}

}  // namespace onggi::image
