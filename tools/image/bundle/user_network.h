// SPDX-License-Identifier: Apache-2.0
// A network for a container without any rights on the host: slirp4netns(1), a TCP/IP stack in a
// process of the user, which speaks for the container by sockets of the host.
#pragma once

#include "bundle/network.h"
#include "process/companion.h"

namespace onggi::image {

// Of the container and of the name server that asks the host's, in a network that only those two
// know (slirp4netns(1), "Description").
inline constexpr const char *kUserNetworkAddress = "10.0.2.100",
                            *kUserNetworkNameServer = "10.0.2.3";

// Before anything is made: the program is there, and it can publish such ports.
Result<> check_user_network(const std::vector<PortRequest>& ports);

// Gives the network namespace `path` an interface eth0, and publishes the ports. It lasts as long
// as the value. The program's socket is made in `directory`, and is gone afterwards.
Result<Companion> start_user_network(const std::string& path, int directory,
                                     const std::vector<PortMapping>& ports);

}  // namespace onggi::image
