// SPDX-License-Identifier: Apache-2.0
// How a caller learns of a new process: --pid-file and --pidfd-socket, of `create`, `run` and
// `exec`.
#pragma once

#include "base/caller_path.h"
#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi {

// The file of --pid-file. It stays, unless what it names turns out not to run.
class PidFile {
 public:
  // Replaces the file at once. An empty path: there is none.
  static Result<PidFile> write(const std::string& path, int pid);
  // Only what it has written, and in the directory where it has.
  void remove() const;

 private:
  CallersFile file_;
  std::string text_;
};

// Connects --console-socket or --pidfd-socket; an empty descriptor without one. `signals` as of
// connect_to_socket().
Result<UniqueFd> connect_receiver(const std::string& path, int signals);

// To a connected receiver; -1: nobody.
Result<> send_pidfd(int receiver, int pidfd);

}  // namespace onggi
