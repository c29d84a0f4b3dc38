// SPDX-License-Identifier: Apache-2.0
// `verify`: reads the store again and says what is damaged.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct VerifyOptions {
  Format format = Format::text;
  bool remove_damaged = false, quick = false;
};
inline constexpr auto kVerifyOptions = cli::options<VerifyOptions>({
    cli::option<&VerifyOptions::format>("format", 'f', "text|json",
                                        "output format (default: text)"),
    cli::option<&VerifyOptions::remove_damaged>(
        "remove-damaged", 0, nullptr,
        "remove damaged files, so that pulling the image downloads them again"),
    cli::option<&VerifyOptions::quick>(
        "quick", 0, nullptr, "do not compare the content of unpacked files, only their metadata"),
});

Result<int> verify_command(const Context& context, const VerifyOptions& options);

}  // namespace onggi::image
