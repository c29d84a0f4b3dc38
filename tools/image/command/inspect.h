// SPDX-License-Identifier: Apache-2.0
// `inspect` and `history`: what the documents of an image say, wherever it is.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct DocumentFlags {
  Format format = Format::text;
  std::string platform, authfile;
  bool plain_http = false;
  bool raw = false, config = false;
};
inline constexpr auto kHistoryOptions = cli::options<DocumentFlags>({
    cli::option<&DocumentFlags::format>("format", 'f', "text|json",
                                        "output format (default: text)"),
    cli::option<&DocumentFlags::platform>(
        "platform", 0, "OS/ARCH[/VARIANT]",
        "platform to choose from a multi-platform image (default: this machine's)"),
    cli::option<&DocumentFlags::authfile>("authfile", 0, "FILE",
                                          "credentials for docker://NAME (default: auth.json of "
                                          "podman and skopeo, then ~/.docker/config.json)"),
    cli::option<&DocumentFlags::plain_http>("plain-http", 0, nullptr,
                                            "allow unencrypted connections to the registry"),
});
inline constexpr auto kInspectOptions =
    kHistoryOptions + cli::options<DocumentFlags>({
                          cli::option<&DocumentFlags::raw>(
                              "raw", 0, nullptr, "print the manifest or index as it is stored"),
                          cli::option<&DocumentFlags::config>(
                              "config", 0, nullptr, "print the image config as it is stored"),
                      });

Result<int> inspect_command(const Context& context, const DocumentFlags& options);
Result<int> history_command(const Context& context, const DocumentFlags& options);

}  // namespace onggi::image
