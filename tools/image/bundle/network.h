// SPDX-License-Identifier: Apache-2.0
// A network for a container, made by the plugins of the Container Network Interface (CNI, Debian's
// containernetworking-plugins): a bridge with addresses of its own, masquerading, published ports.
#pragma once

#include "base/fd.h"
#include "network/port.h"

#include <string>
#include <vector>

namespace onggi::image {

// A new network namespace with its loopback up; it lives as long as the descriptor or a process in
// it.
Result<UniqueFd> make_network_namespace();

// Of a descriptor, for other processes, as long as this one has it.
std::string path_of(const UniqueFd& network);

struct NetworkRequest {
  std::string id;    // of the container; unique on the host
  std::string path;  // of its network namespace
  std::vector<PortMapping> ports;
};

struct NetworkResult {
  std::string address;  // of the container, without prefix length
  std::string text;     // JSON of the plugins; detach_network() needs it to find their rules
};

// What has been made before an error is taken back.
Result<NetworkResult> attach_network(const NetworkRequest& request);
// Also when only a part is there. `path` may be empty, the namespace having gone, and `result`, an
// answer that was never read; with neither, rules of the firewall for an address may stay.
Result<> detach_network(const NetworkRequest& request, const std::string& result);

}  // namespace onggi::image
