// SPDX-License-Identifier: Apache-2.0
// Profiles in short, for the two files on config-linux.md#seccomp.
#pragma once

#include "support/agent.h"
#include "support/suite.h"

#include <sys/syscall.h>

#include <cerrno>

namespace onggi::test {

inline Bundle& profile(Bundle& bundle, const std::string& default_action = "SCMP_ACT_ALLOW") {
  bundle.set_json("/linux/seccomp", R"({"syscalls": []})");
  return bundle.set("/linux/seccomp/defaultAction", default_action);
}

// One rule more; `more` is the rest of it: R"("errnoRet": 5)".
inline Bundle& add_rule(Bundle& bundle, const Strings& names, const std::string& action,
                        const std::string& more = "") {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + json_string(name);
  return bundle.set_json("/linux/seccomp/syscalls/-", R"({"names": [)" + list + R"(], "action": )" +
                                                          json_string(action) +
                                                          (more.empty() ? "" : ", " + more) + "}");
}

// What the guest and the last steps of a runtime need.
inline Bundle& allow_the_usual(Bundle& bundle) {
  return add_rule(bundle,
                  {"read",
                   "write",
                   "readv",
                   "writev",
                   "close",
                   "open",
                   "openat",
                   "fstat",
                   "newfstatat",
                   "statx",
                   "lseek",
                   "mmap",
                   "munmap",
                   "mprotect",
                   "madvise",
                   "brk",
                   "execve",
                   "execveat",
                   "exit",
                   "exit_group",
                   "arch_prctl",
                   "set_tid_address",
                   "set_robust_list",
                   "rseq",
                   "prlimit64",
                   "getrandom",
                   "futex",
                   "rt_sigaction",
                   "rt_sigprocmask",
                   "rt_sigreturn",
                   "sigaltstack",
                   "ioctl",
                   "fcntl",
                   "prctl",
                   "capget",
                   "capset",
                   "setgroups",
                   "setresuid",
                   "setresgid",
                   "setuid",
                   "setgid",
                   "getpid",
                   "gettid",
                   "tgkill",
                   "nanosleep",
                   "clone",
                   "clone3",
                   "epoll_pwait",
                   "epoll_ctl",
                   "sched_yield",
                   "sendmsg",
                   "recvmsg",
                   "readlink",
                   "readlinkat",
                   "faccessat2",
                   "close_range",
                   "getuid",
                   "geteuid",
                   "dup3",
                   "chdir"},
                  "SCMP_ACT_ALLOW");
}

inline std::string answer(const Bundle& bundle, const std::string& call) {
  return value_of(run(bundle).out, "syscall " + call);
}

inline bool refused(const Bundle& bundle) {
  return !create(bundle).ok();
}

using Errors = SeccompAgent::Errors;

}  // namespace onggi::test
