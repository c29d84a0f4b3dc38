// SPDX-License-Identifier: Apache-2.0
// The certs.d directories (containers-certs.d(5)): authorities and client certificates that belong
// to one registry, beside what the system trusts.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct Certificates {
  std::string authorities;       // PEM, trusted beside the system's; empty: none
  std::string certificate, key;  // paths of the client's; empty: none
};

// ~/.config/containers, /etc/containers and /etc/docker, each followed by "/certs.d".
std::vector<std::string> certificate_directories();

// `server` is "host:port" or, for port 443, also "host". All *.crt of all directories are
// authorities; the first X.cert with its X.key is the client's.
Result<Certificates> find_certificates(const std::vector<std::string>& directories,
                                       std::string_view host, std::string_view port);

}  // namespace onggi::image
