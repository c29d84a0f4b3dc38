// SPDX-License-Identifier: Apache-2.0
// A process named by pid *and* start time, because pids are used again.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

#include <cstdint>
#include <optional>

namespace onggi {

struct ProcessStatus {
  char state = 'Z';         // as in proc_pid_stat(5)
  uint64_t start_time = 0;  // clock ticks since boot
  FixedText<64> command;
  bool alive() const { return state != 'Z' && state != 'X' && state != 'x'; }
};

// Nothing: there is no such process.
Result<std::optional<ProcessStatus>> process_status(int pid);

// For sending signals to the very process that was recorded; nothing if it is gone.
Result<std::optional<UniqueFd>> open_process(int pid, uint64_t start_time);

// Has the process let go of all that it had, with its end held up by nothing but others that have
// ended in its pid namespace, and whom nobody waits for (zap_pid_ns_processes() in the kernel)?
bool has_let_go(int pid);

// Until the process ends. False: it did not within `milliseconds`.
Result<bool> wait_for_exit(int pidfd, int milliseconds);

}  // namespace onggi
