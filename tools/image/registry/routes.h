// SPDX-License-Identifier: Apache-2.0
// Where an image is really asked for: mirrors and other locations of containers-registries.conf(5),
// which podman, skopeo and buildah read too. The image keeps its name.
#pragma once

#include "model/reference.h"
#include "model/registries_conf.h"
#include "registry/access.h"

#include <string>
#include <vector>

namespace onggi::image {

struct Route {
  Reference image;
  bool insecure = false;  // http, and certificates that nobody has signed, are permitted
};

struct Routes {
  std::vector<Route> pull;  // in their order, the mirrors first
  Route push;
};

// What is permitted on the way there.
AccessOptions permitted(AccessOptions options, const Route& route);

// ErrorKind::unsupported: the image is blocked; ErrorKind::invalid_config: a file is wrong.
Result<Routes> find_routes(const std::vector<std::string>& files, const Reference& image);

}  // namespace onggi::image
