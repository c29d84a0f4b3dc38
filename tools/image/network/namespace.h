// SPDX-License-Identifier: Apache-2.0
// Network namespaces of containers.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi::image {

// A new one with its loopback up; it lives as long as the descriptor or a process in it.
Result<UniqueFd> make_network_namespace();

// One in the place of a container's that has gone: with an interface eth0 that has its IPv4
// address. Programs that take a network back look at those.
Result<UniqueFd> make_stand_in_namespace(const std::string& address);

// Of a descriptor, for other processes, as long as this one has it.
std::string path_of(const UniqueFd& network);

}  // namespace onggi::image
