// SPDX-License-Identifier: Apache-2.0
// `unpack IMAGE DIR`: a plain directory with an image's files.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct UnpackOptions {
  std::string platform;
};
inline constexpr auto kUnpackOptions = cli::options<UnpackOptions>({
    cli::option<&UnpackOptions::platform>("platform", 0, "OS/ARCH[/VARIANT]",
                                          "of an image for several (default: this machine's)"),
});

Result<int> unpack_command(const Context& context, const UnpackOptions& options);

}  // namespace onggi::image
