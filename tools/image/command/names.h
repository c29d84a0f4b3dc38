// SPDX-License-Identifier: Apache-2.0
// `tag`, `untag` and `remove`: the names of images in the store.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct NameOptions {
  Format format = Format::text;
};
inline constexpr auto kNameOptions = cli::options<NameOptions>({
    cli::option<&NameOptions::format>("format", 'f', "text|json", "output format (default: text)"),
});

Result<int> tag_command(const Context& context, const NameOptions& options);
Result<int> untag_command(const Context& context, const NameOptions& options);
Result<int> remove_command(const Context& context, const NameOptions& options);

}  // namespace onggi::image
