// SPDX-License-Identifier: Apache-2.0
// Sockets that others listen on, by paths of any length.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi {

// To connect and to send wait for so long at most (SO_SNDTIMEO): after that many attempts of 100
// ms, each of which ends in EAGAIN, a peer that does nothing is given up.
inline constexpr int kSendAttempts = 100;

// A connection to a SOCK_STREAM socket; within 10 seconds. `signals`: of block_signals(), or -1;
// one that would have ended us is an error.
Result<UniqueFd> connect_to_socket(const std::string& path, int signals);

// A connected SOCK_DGRAM socket, where sending ends in EAGAIN after 10 seconds; "@NAME" is a socket
// without a file.
Result<UniqueFd> connect_to_datagram_socket(const std::string& path);

// Fails as connect_to_socket would, but nobody gets a connection.
Result<> check_socket(const std::string& path);

}  // namespace onggi
