// SPDX-License-Identifier: Apache-2.0
// `verify`: reads the store again and says what is damaged.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct VerifyOptions {
  Format format = Format::text;
  bool remove_damaged = false;
};
inline constexpr auto kVerifyOptions = cli::options<VerifyOptions>({
    cli::option<&VerifyOptions::format>("format", 'f', "text|json",
                                        "of the output (default: text)"),
    cli::option<&VerifyOptions::remove_damaged>(
        "remove-damaged", 0, nullptr, "so that pulling the image again fetches the parts anew"),
});

Result<int> verify_command(const Context& context, const VerifyOptions& options);

}  // namespace onggi::image
