// SPDX-License-Identifier: Apache-2.0
// What one program has for all of its registries: the HTTP library, the time, the user's
// credentials and routes. For the main thread; what it opens must not outlive it.
#pragma once

#include "transfer/registry_endpoint.h"

#include <memory>

namespace onggi::image {

class Registries {
 public:
  // `view`, which shows the user what is waited for, must outlive this; see SystemClock.
  explicit Registries(AccessOptions options, WaitView* view = nullptr)
      : clock_(view), options_(std::move(options)) {}

  // By the mirrors of registries.conf.
  Result<std::unique_ptr<RegistrySource>> source(const Reference& image);
  // `mounts_from` is an image whose blobs may be in the same registry already, or nullptr.
  Result<std::unique_ptr<RegistryTarget>> target(const Reference& image, ImageSource& source,
                                                 const Reference* mounts_from);
  // For what is asked of one registry and not of a mirror: tags, referrers, removal.
  Result<std::unique_ptr<Access>> access(const Reference& image);

 private:
  HttpLibrary library_;
  SystemClock clock_;
  const AccessOptions options_;
};

}  // namespace onggi::image
