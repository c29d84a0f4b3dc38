// SPDX-License-Identifier: Apache-2.0
// `volume`: the named volumes of the store.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct VolumeOptions {
  bool quiet = false, force = false;
};
inline constexpr auto kVolumeOptions = cli::options<VolumeOptions>({
    cli::option<&VolumeOptions::quiet>("quiet", 'q', nullptr, "ls: print names only"),
    cli::option<&VolumeOptions::force>("force", 'f', nullptr,
                                       "prune: remove them; rm: ignore volumes that do not exist"),
});

Result<int> volume_command(const Context& context, const VolumeOptions& options);

}  // namespace onggi::image
