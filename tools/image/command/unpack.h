// SPDX-License-Identifier: Apache-2.0
// `unpack IMAGE DIR`: a plain directory with an image's files.
#pragma once

#include "command/image_lookup.h"

namespace onggi::image {

inline constexpr auto kUnpackOptions = cli::options<LookupFlags>({
    cli::option<&LookupFlags::platform>(
        "platform", 0, "OS/ARCH[/VARIANT]",
        "platform to choose from a multi-platform image (default: this machine's)"),
    cli::option<&LookupFlags::pull>("pull", 0, "missing|always|never",
                                    "when to download the image (default: missing)"),
    cli::option<&LookupFlags::authfile>("authfile", 0, "FILE", "credentials, as for pull"),
    cli::option<&LookupFlags::plain_http>("plain-http", 0, nullptr,
                                          "allow unencrypted connections to the registry"),
});

Result<int> unpack_command(const Context& context, const LookupFlags& flags);

}  // namespace onggi::image
