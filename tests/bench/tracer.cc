// SPDX-License-Identifier: Apache-2.0
#include "bench/tracer.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <sstream>

namespace bench {
namespace {

constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
                          PTRACE_O_EXITKILL;

// A child that executes the command as soon as it is traced. It first stops at its execve, so
// nothing of ours is counted.
pid_t start_traced(const Words& words, const Streams& streams) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int go[2];
  if (pipe(go) != 0) throw Failure("pipe");
  const pid_t child = fork();
  if (child == 0) {
    (void)setpgid(0, 0);
    streams.take();
    (void)close(go[1]);
    char byte = 0;
    (void)!read(go[0], &byte, 1);
    (void)close(go[0]);
    (void)execvp(arguments[0], arguments.data());
    _exit(127);
  }
  const bool traced = child > 0 && ptrace(PTRACE_SEIZE, child, nullptr, kOptions) == 0;
  (void)close(go[0]);
  (void)close(go[1]);
  if (!traced) throw Failure("cannot trace: " + std::string(strerror(errno)));
  return child;
}

bool begins_call(pid_t tracee) {
  __ptrace_syscall_info info = {};
  return ptrace(PTRACE_GET_SYSCALL_INFO, tracee, sizeof info, &info) > 0 &&
         info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

// VmHWM, because ru_maxrss has also what the process had of ours before its execve.
long peak_memory(pid_t pid) {
  std::istringstream status(read_file("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6));
  }
  return 0;
}

}  // namespace

Counts& Counts::operator+=(const Counts& other) {
  calls += other.calls;
  processes += other.processes;
  peak_kib = std::max(peak_kib, other.peak_kib);
  largest_kib = std::max(largest_kib, other.largest_kib);
  return *this;
}

void Tracer::begins_or_ends(pid_t tracee, int event) {
  if (event == PTRACE_EVENT_EXIT) {
    const long peak = peak_memory(tracee);
    counts_.largest_kib = std::max(counts_.largest_kib, peak);
    if (tracee == command_) counts_.peak_kib = peak;
  } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
             event == PTRACE_EVENT_CLONE) {
    counts_.processes++;
  }
}

void Tracer::stopped(pid_t tracee, int status) {
  const int signal = WSTOPSIG(status), event = status >> 16;
  const bool stays = event == PTRACE_EVENT_STOP && signal != SIGTRAP;
  int passed_on = 0;
  if (signal == (SIGTRAP | 0x80)) {
    if (begins_call(tracee)) counts_.calls++;
  } else if (event != 0) {
    begins_or_ends(tracee, event);
  } else {
    passed_on = signal;
  }
  (void)ptrace(stays ? PTRACE_LISTEN : PTRACE_SYSCALL, tracee, nullptr, passed_on);
}

// The next event. What has ended is remembered with its status: a container may end before the
// command that ends it.
void Tracer::step() {
  int status = 0;
  const pid_t pid = waitpid(-1, &status, __WALL);
  if (pid < 0) {
    check_interrupted();
    throw Failure("waitpid: " + std::string(strerror(errno)));
  }
  if (WIFSTOPPED(status)) {
    stopped(pid, status);
  } else {
    ended_[pid] = status;
  }
}

Counts Tracer::run(const Words& words, const Streams& streams) {
  check_interrupted();
  streams.clear();
  command_ = start_traced(words, streams);
  counts_ = {1, 1, 0, 0};  // with its execve
  const int status = await_end(command_);
  if (status != 0) fail(words, status, streams);
  return counts_;
}

int Tracer::await_end(pid_t pid) {
  while (!ended_.contains(pid)) step();
  return ended_[pid];
}

}  // namespace bench
