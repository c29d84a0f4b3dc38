// SPDX-License-Identifier: Apache-2.0
// start.sock in the state directory: init listens on it from `create` on, `start` connects. Unlike
// a FIFO it carries the answer back, so a program that cannot be executed is an error of `start`.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/seccomp_agent.h"

namespace onggi {

inline constexpr const char* kStartSocket = "start.sock";

// Bound below `directory`, and listening. The caller hands it to init.
Result<UniqueFd> listen_for_start(int directory);

// Tells init to start the program. ErrorKind::state if nobody listens any more; after any other
// error init has not been told.
Result<UniqueFd> ask_to_start(int directory);

// Returns when the program runs, with its notify socket if it has one, or why it does not.
// `connection` of ask_to_start(); `process`: pidfd of init, or -1.
Result<UniqueFd> wait_until_started(const UniqueFd& connection, std::optional<SeccompAgent> agent,
                                    int process);

}  // namespace onggi
