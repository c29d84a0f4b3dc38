// SPDX-License-Identifier: Apache-2.0
// Image config -> config.json (image-spec conversion.md): the document of `onggi spec` with the
// image's program, environment, user and annotations.
#pragma once

#include "bundle/user.h"
#include "model/descriptor.h"

namespace onggi::image {

struct BundleOptions {
  Strings arguments;  // in place of the image's Cmd
  bool terminal = false;
};

// What of the config needs no root filesystem: a program, an operating system, volumes that do not
// cover what the runtime mounts. Before anything is unpacked.
Result<> check_runnable(const ImageConfig& image, const BundleOptions& options);

std::string bundle_config(const ImageConfig& image, const ContainerUser& user,
                          const BundleOptions& options);

}  // namespace onggi::image
