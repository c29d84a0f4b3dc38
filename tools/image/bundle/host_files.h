// SPDX-License-Identifier: Apache-2.0
// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files beside its bundle, mounted
// over those of the image.
#pragma once

#include "bundle/bundle_config.h"

#include <string>
#include <vector>

namespace onggi::image {

struct HostFiles {
  std::string directory;  // where they are written; absolute
  std::string hostname;
  std::string address;      // of the container; empty: it has none of its own
  std::string name_server;  // that it asks before those of the host, if it has one of its own
};

Result<std::vector<BundleMount>> write_host_files(const HostFiles& files);

// A resolv.conf(5) without name servers that only the host itself can reach.
std::string reachable_name_servers(const std::string& text);

}  // namespace onggi::image
