// SPDX-License-Identifier: Apache-2.0
// The agent: the program at linux.seccomp.listenerPath that answers a container's notified calls.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/waiting.h"
#include "linux/wire.h"

#include <optional>
#include <string>

namespace onggi {

class SeccompAgent {
 public:
  // `process_state` is the message (config-linux.md#containerprocessstate). Connected before the
  // program is started, so that an agent that is gone leaves the container as it is. `signals`: of
  // block_signals(), or -1; one that would have ended us is an error.
  static Result<SeccompAgent> connect(const std::string& path, std::string process_state,
                                      int signals);

  // Sends the message with the listener, then closes the connection: the next one, of a process
  // whose filter is another instance (a startContainer hook), is made anew. An agent that does not
  // read gives an error after some seconds.
  Result<> deliver(int listener, int signals);

 private:
  SeccompAgent(std::string path, UniqueFd connection, std::string process_state)
      : path_(std::move(path)),
        connection_(std::move(connection)),
        process_state_(std::move(process_state)) {}

  std::string path_;
  UniqueFd connection_;
  std::string process_state_;
};

// How the start of a container's program has gone.
struct ProgramStart {
  std::optional<Message> failed;  // init's reason why it does not run
  UniqueFd notify;                // what it writes to for sd_notify(3), if it has that
};

// Waits until init's end of `socket` is closed, by the execve of the container's program. If the
// filter has a listener, it passes through here to the agent. An error of our own ends init when
// `socket` is closed. An init that has died before the execve is an error with errnum 0.
Result<ProgramStart> await_program(int socket, std::optional<SeccompAgent> agent,
                                   const Waiting& waiting);

}  // namespace onggi
