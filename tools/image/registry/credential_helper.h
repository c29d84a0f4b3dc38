// SPDX-License-Identifier: Apache-2.0
// docker-credential-NAME programs: the server's name on their standard input, JSON on their
// standard output. No secret is an argument, so none is in `ps`.
#pragma once

#include "registry/credentials.h"

namespace onggi::image {

// Nothing when the program knows no credentials for `server`. A name with a slash is refused: the
// configuration chooses among installed programs, not among files.
Result<std::optional<Credentials>> ask_credential_helper(std::string_view name,
                                                         std::string_view server, long seconds);

Result<> store_by_credential_helper(std::string_view name, std::string_view server,
                                    const Credentials& credentials, long seconds);
// False: it knew none.
Result<bool> erase_by_credential_helper(std::string_view name, std::string_view server,
                                        long seconds);

}  // namespace onggi::image
