// SPDX-License-Identifier: Apache-2.0
// What the commands that talk to registries share.
#pragma once

#include "command/command.h"
#include "command/remote_name.h"
#include "registry/login.h"
#include "transfer/registries.h"

namespace onggi::image {

struct RemoteFlags {
  std::string authfile, artifact_type, username;
  Format format = Format::text;
  bool plain_http = false, password_stdin = false;
};

inline constexpr auto kRemoteOptions = cli::options<RemoteFlags>({
    cli::option<&RemoteFlags::authfile>("authfile", 0, "FILE",
                                        "credentials (default: auth.json of podman and skopeo, "
                                        "then ~/.docker/config.json)"),
    cli::option<&RemoteFlags::plain_http>("plain-http", 0, nullptr,
                                          "allow unencrypted connections to the registry (default: "
                                          "only for registries on this machine)"),
});
inline constexpr auto kFormatOption = cli::options<RemoteFlags>({
    cli::option<&RemoteFlags::format>("format", 0, "text|json", "output format (default: text)"),
});

AccessOptions access_options(const std::string& authfile, bool plain_http, long stall_seconds);

// "HOST[:PORT][/PATH]", empty: Docker Hub. The value is a key for credentials, and an image that
// they would be used for.
struct LoginPlace {
  std::string key;
  Reference image;
};
Result<LoginPlace> parse_login_place(std::string_view text);

Result<int> login_command(const Context& context, const RemoteFlags& flags);
Result<int> logout_command(const Context& context, const RemoteFlags& flags);
Result<int> tags_command(const Context& context, const RemoteFlags& flags);
Result<int> referrers_command(const Context& context, const RemoteFlags& flags);
Result<int> delete_remote_command(const Context& context, const RemoteFlags& flags);

inline constexpr auto kLoginOptions =
    kRemoteOptions +
    cli::options<RemoteFlags>({
        cli::option<&RemoteFlags::username>("username", 'u', "USER", "user name (default: ask)"),
        cli::option<&RemoteFlags::password_stdin>("password-stdin", 0, nullptr,
                                                  "read the password from standard input"),
    });
inline constexpr auto kTagsOptions = kRemoteOptions + kFormatOption;
inline constexpr auto kReferrersOptions =
    kRemoteOptions + kFormatOption +
    cli::options<RemoteFlags>({
        cli::option<&RemoteFlags::artifact_type>("artifact-type", 0, "TYPE",
                                                 "list only this artifact type"),
    });

}  // namespace onggi::image
