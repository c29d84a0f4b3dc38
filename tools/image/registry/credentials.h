// SPDX-License-Identifier: Apache-2.0
// The user's credentials for a registry, from the files and helper programs that docker, podman and
// skopeo use (containers-auth.json(5)).
#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct Credentials {
  std::string user, password;
  std::string identity_token;  // instead of the password: changed for a token of the registry
};

struct CredentialSource {
  std::vector<std::string> files;  // in the order of their rank; those that do not exist are passed
  long helper_seconds = 60;        // a helper may ask the user
  std::optional<Credentials> given = {};  // before all files
};

// `given` is --authfile or empty; like $REGISTRY_AUTH_FILE it takes the place of all other files.
CredentialSource credential_source(std::string_view given);

// The first that fit, nothing when there are none. The most specific key of a file counts:
// "host/team/app", then "host/team", then "host".
Result<std::optional<Credentials>> find_credentials(const CredentialSource& source,
                                                    std::string_view registry,
                                                    std::string_view repository);

// A key of the files without what is written differently: "https://index.docker.io/v1/" is
// "docker.io".
std::string normalised_key(std::string_view key);
// What docker's helpers know a registry by.
std::string_view helper_server(std::string_view registry);

}  // namespace onggi::image
