// SPDX-License-Identifier: Apache-2.0
// `gc`: what nothing needs is removed from the store.
#pragma once

#include "command/command.h"
#include "store/gc.h"

namespace onggi::image {

struct GcOptions {
  Format format = Format::text;
};
inline constexpr auto kGcOptions = cli::options<GcOptions>({
    cli::option<&GcOptions::format>("format", 'f', "text|json", "output format (default: text)"),
});

Result<int> gc_command(const Context& context, const GcOptions& options);

// Of the store in `root`, if nobody else uses it.
Result<Collected> collect(const std::string& root);

}  // namespace onggi::image
