// SPDX-License-Identifier: Apache-2.0
// A message of a Unix socket, with the descriptors that come with it (unix(7), SCM_RIGHTS).
#pragma once

#include <string>
#include <vector>

namespace onggi::test {

struct SocketMessage {
  bool failed = false;           // recvmsg(2) did
  std::string text;              // empty: the end of the stream
  std::vector<int> descriptors;  // the caller's to close; with close-on-exec
};
// Waits for one message, or for one part of a stream, of at most 64 KiB and 8 descriptors.
SocketMessage receive_message(int socket);

}  // namespace onggi::test
