// SPDX-License-Identifier: Apache-2.0
// `copy SOURCE TARGET`, and what pull and push are made of.
#pragma once

#include "command/command.h"
#include "transfer/copy.h"
#include "transfer/open_endpoint.h"

namespace onggi::image {

struct CopyFlags {
  Format format = Format::text;
  std::string platform, authfile;
  bool all_platforms = false, quiet = false, plain_http = false;
  LayerLimits limits = {};
  long stall_seconds = kStallSeconds;
};
inline constexpr auto kCopyOptions = cli::options<CopyFlags>({
    cli::option<&CopyFlags::format>("format", 'f', "text|json", "output format (default: text)"),
    cli::option<&CopyFlags::platform>("platform", 0, "OS/ARCH[/VARIANT]",
                                      "platform to copy from a multi-platform image"),
    cli::option<&CopyFlags::all_platforms>("all-platforms", 'a', nullptr,
                                           "copy all platforms of a multi-platform image"),
    cli::option<&CopyFlags::authfile>("authfile", 0, "FILE",
                                      "credentials (default: auth.json of podman and skopeo, then "
                                      "~/.docker/config.json)"),
    cli::option<&CopyFlags::plain_http>("plain-http", 0, nullptr,
                                        "allow unencrypted connections to the registry (default: "
                                        "only for registries on this machine)"),
    cli::option<&CopyFlags::quiet>("quiet", 'q', nullptr, "show no progress"),
});

// A copy into the store or for docker takes one platform if nothing is said, every other one all.
// Layers of an image that comes into the store are unpacked for this machine.
Result<int> copy_command(const Context& context, const CopyFlags& flags);
// From a registry into the store, and the other way.
Result<int> pull_command(const Context& context, const CopyFlags& flags);
Result<int> push_command(const Context& context, const CopyFlags& flags);

// The same for commands that need an image which is not there. The value is its name in the store.
Result<std::string> pull_image(const Store& store, const std::string& name, const CopyFlags& flags);

}  // namespace onggi::image
