// SPDX-License-Identifier: Apache-2.0
// Sockets that others listen on, by paths of any length.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi {

// A connection to a SOCK_STREAM socket. `timeout_seconds` limits the connecting and each sending
// (SO_SNDTIMEO); 0: no limit.
Result<UniqueFd> connect_to_socket(const std::string& path, int timeout_seconds = 0);

// A connected SOCK_DGRAM socket; "@NAME" is a socket without a file.
Result<UniqueFd> connect_to_datagram_socket(const std::string& path);

// Fails as connect_to_socket would, but nobody gets a connection.
Result<> check_socket(const std::string& path);

}  // namespace onggi
