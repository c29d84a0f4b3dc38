// SPDX-License-Identifier: Apache-2.0
// Containers that `run` has made: `containers` and `delete`.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct ContainersOptions {
  Format format = Format::text;
  bool quiet = false;
};
inline constexpr auto kContainersOptions = cli::options<ContainersOptions>({
    cli::option<&ContainersOptions::format>("format", 0, "text|json",
                                            "output format (default: text)"),
    cli::option<&ContainersOptions::quiet>("quiet", 'q', nullptr, "print container IDs only"),
});

struct DeleteOptions {
  bool force = false;
};
inline constexpr auto kDeleteOptions = cli::options<DeleteOptions>({
    cli::option<&DeleteOptions::force>("force", 'f', nullptr, "stop a running container first"),
});

Result<int> containers_command(const Context& context, const ContainersOptions& options);
Result<int> delete_command(const Context& context, const DeleteOptions& options);

}  // namespace onggi::image
