// SPDX-License-Identifier: Apache-2.0
// The user's credentials as files: what `login` and `logout` change. All else that is in the files
// stays as it is.
#pragma once

#include "registry/credentials.h"

namespace onggi::image {

// Where credentials for `key` belong: the file that has some for it already, else the first that is
// there (a user of docker has config.json), else the first of `source`.
Result<std::string> login_file(const CredentialSource& source, const std::string& key);

// `key` is a host with its port, or a host and a path. Where the file names a helper program for
// it, the secret goes there and not into the file. The file is the user's alone (0600), and is
// replaced at once.
Result<> store_login(const std::string& file, const std::string& key,
                     const Credentials& credentials);

// Out of all files and helpers. False: nothing was there.
Result<bool> remove_login(const CredentialSource& source, const std::string& key);

}  // namespace onggi::image
