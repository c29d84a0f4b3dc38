// SPDX-License-Identifier: Apache-2.0
// Counts what a command does, by ptrace(2), in a pass that is not timed: system calls of all its
// processes and threads, until it has ended. What goes on living, like a container's first process,
// is counted with the commands that follow.
#pragma once
#include "bench/process.h"

#include <map>

namespace bench {

struct Counts {
  long calls = 0;        // begun by any process, also the container's
  long processes = 0;    // and threads, that were made; the command's own included
  long peak_kib = 0;     // most resident memory of the command's own process (VmHWM)
  long largest_kib = 0;  // and of the largest of all processes that have ended

  // Of commands that follow each other.
  Counts& operator+=(const Counts& other);
};

class Tracer {
 public:
  // Throws Failure unless the command has succeeded.
  Counts run(const Words& words, const Streams& streams);
  // Lets what is traced go on until the process has ended and was waited for. Returns its status.
  int await_end(pid_t pid);

 private:
  void step();
  void stopped(pid_t tracee, int status);
  void begins_or_ends(pid_t tracee, int event);

  Counts counts_;
  pid_t command_ = 0;
  std::map<pid_t, int> ended_;
};

}  // namespace bench
