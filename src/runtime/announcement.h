// SPDX-License-Identifier: Apache-2.0
// How a caller learns of a new process: --pid-file and --pidfd-socket, of `create`, `run` and
// `exec`.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi {

// Replaces the file at once. An empty path: nothing to do.
Result<> write_pid_file(const std::string& path, int pid);

// Connects --console-socket or --pidfd-socket; an empty descriptor without one. `signals` as of
// connect_to_socket().
Result<UniqueFd> connect_receiver(const std::string& path, int signals);

// To a connected receiver; -1: nobody.
Result<> send_pidfd(int receiver, int pidfd);

}  // namespace onggi
