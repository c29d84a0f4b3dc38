// SPDX-License-Identifier: Apache-2.0
// `list`: the images of the store.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct ListOptions {
  Format format = Format::text;
  bool quiet = false;
};
inline constexpr auto kListOptions = cli::options<ListOptions>({
    cli::option<&ListOptions::format>("format", 'f', "text|json", "output format (default: text)"),
    cli::option<&ListOptions::quiet>("quiet", 'q', nullptr,
                                     "print names only, or digests of unnamed images"),
});

Result<int> list_command(const Context& context, const ListOptions& options);

}  // namespace onggi::image
