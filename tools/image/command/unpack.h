// SPDX-License-Identifier: Apache-2.0
// `unpack IMAGE DIR`: a plain directory with an image's files.
#pragma once

#include "command/image_lookup.h"

namespace onggi::image {

inline constexpr auto kUnpackOptions = cli::options<LookupFlags>({
    cli::option<&LookupFlags::platform>("platform", 0, "OS/ARCH[/VARIANT]",
                                        "of an image for several (default: this machine's)"),
    cli::option<&LookupFlags::pull>("pull", 0, "missing|always|never",
                                    "when to ask the registry (default: missing)"),
    cli::option<&LookupFlags::authfile>("authfile", 0, "FILE", "credentials, as for pull"),
    cli::option<&LookupFlags::plain_http>("plain-http", 0, nullptr,
                                          "permit a registry without encryption"),
});

Result<int> unpack_command(const Context& context, const LookupFlags& flags);

}  // namespace onggi::image
