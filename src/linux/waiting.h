// SPDX-License-Identifier: Apache-2.0
// Waiting for another process: the wait ends when the process answers, when it has ended, when our
// time is up, and when we are told to end. Every wait for a process that could stay silent goes
// through here.
#pragma once

#include "base/result.h"

namespace onggi {

// What a wait depends on. All descriptors are borrowed; -1: none.
struct Waiting {
  int process = -1;       // pidfd of who is to answer: others may hold its end of the channel
  int signals = -1;       // of block_signals(); without it signals act as usual
  int milliseconds = -1;  // -1: no limit
};

enum class Waited {
  ready,   // there is something to read, or the end of the file
  ended,   // the process has ended, and has left nothing to read
  expired  // the time is up
};

// Until `fd` can be read. A signal that would have ended us is an error: "interrupted by signal N";
// any other stays pending.
Result<Waited> wait_readable(int fd, const Waiting& waiting);
// Until nobody has the other end of the socket `fd` any more: what is written to it meanwhile stays
// there to be read, and wakes nobody.
Result<Waited> wait_closed(int fd, const Waiting& waiting);

// An error if a signal that would have ended us has come.
Result<> check_interrupted(int signals);

}  // namespace onggi
