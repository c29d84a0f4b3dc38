// SPDX-License-Identifier: Apache-2.0
// Verbs that make system calls in the ways that a filter can tell apart, and survive its answers.
#include "support/guest.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace guest {
namespace {

int print(const char* verb, const char* call, long result) {
  printf("%s %s %s\n", verb, call, result < 0 ? strerrorname_np(static_cast<int>(-result)) : "ok");
  return 0;
}

// The 32-bit way in: the kernel's int 0x80, with the numbers of i386.
int call_i386(Arguments words) {
#if defined(__x86_64__)
  long result = number(words[0]);
  fflush(stdout);
  __asm__ volatile("int $0x80"
                   : "+a"(result)
                   : "b"(0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
                   : "r8", "r9", "r10", "r11", "memory");
  return print("i386", words[0], static_cast<int>(result));
#else
  return failed("i386", words[0], ENOSYS);
#endif
}

volatile sig_atomic_t trapped_call = -1;

void on_trap(int, siginfo_t* info, void*) {
  trapped_call = info->si_syscall;
}

// With a handler for the signal of SCMP_ACT_TRAP.
int call_trapped(Arguments words) {
  struct sigaction action = {};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  fflush(stdout);
  syscall(number(words[0]));
  printf("trapped %s\n", trapped_call == number(words[0]) ? words[0] : "nothing");
  return 0;
}

struct Call {
  long number = 0;
  bool returned = false;
};

void* make_call(void* argument) {
  Call& call = *static_cast<Call*>(argument);
  syscall(call.number);
  call.returned = true;
  return nullptr;
}

// In a thread of its own.
int call_in_thread(Arguments words) {
  Call call{.number = number(words[0])};
  fflush(stdout);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, make_call, &call) != 0) return failed("thread", words[0]);
  pthread_join(thread, nullptr);
  printf("thread %s %s\n", words[0], call.returned ? "returned" : "died");
  return 0;
}

// Under a tracer, which prints the message of the seccomp event.
int call_traced(Arguments words) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    syscall(number(words[0]));
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
  ptrace(PTRACE_CONT, child, nullptr, nullptr);
  waitpid(child, &status, 0);
  unsigned long message = 0;
  if (status >> 8 != (SIGTRAP | PTRACE_EVENT_SECCOMP << 8))
    return failed("traced", words[0], ESRCH);
  ptrace(PTRACE_GETEVENTMSG, child, nullptr, &message);
  printf("traced %s %lu\n", words[0], message);
  ptrace(PTRACE_KILL, child, nullptr, nullptr);
  waitpid(child, &status, 0);
  return 0;
}

constexpr Verb kVerbs[] = {
    {"i386", call_i386, 1},
    {"thread", call_in_thread, 1},
    {"traced", call_traced, 1},
    {"trapped", call_trapped, 1},
};

}  // namespace

std::span<const Verb> seccomp_verbs() {
  return kVerbs;
}

}  // namespace guest
