// SPDX-License-Identifier: Apache-2.0
// A small interpreter of classic BPF and profiles in short: no filter is ever loaded into the test.
#pragma once

#include "libs/seccomp.h"

#include <doctest/doctest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <cstring>

namespace onggi::test {

using Program = SeccompProgram;

// Only what libseccomp generates.
inline uint32_t execute(const Program& program, const seccomp_data& data) {
  uint32_t a = 0;
  for (size_t at = 0; at < program.size(); ++at) {
    const sock_filter& op = program[at];
    bool jump = false;
    switch (op.code) {
      case BPF_LD | BPF_W | BPF_ABS:
        REQUIRE(op.k + 4 <= sizeof data);
        std::memcpy(&a, reinterpret_cast<const char*>(&data) + op.k, 4);
        continue;
      case BPF_ALU | BPF_AND | BPF_K:
        a &= op.k;
        continue;
      case BPF_JMP | BPF_JA:
        at += op.k;
        continue;
      case BPF_RET | BPF_K:
        return op.k;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump = a == op.k;
        break;
      case BPF_JMP | BPF_JGT | BPF_K:
        jump = a > op.k;
        break;
      case BPF_JMP | BPF_JGE | BPF_K:
        jump = a >= op.k;
        break;
      default:
        FAIL("instruction ", op.code, " at ", at);
    }
    at += jump ? op.jt : op.jf;
  }
  FAIL("ran off the end");
  return 0;
}

inline Program compile(const spec::Seccomp& seccomp) {
  const Result<SeccompProgram> compiled = compile_seccomp(seccomp);
  REQUIRE(static_cast<bool>(compiled));
  return compiled.value();
}

inline spec::SeccompSyscall rule(spec::TextList names, spec::SeccompAction action,
                                 std::vector<spec::SeccompArg> args = {},
                                 std::optional<uint32_t> errno_ret = std::nullopt) {
  spec::SeccompSyscall syscall;
  syscall.names = std::move(names);
  syscall.action = action;
  syscall.errno_ret = errno_ret;
  syscall.args = std::move(args);
  return syscall;
}

// What a call by number gets.
inline uint32_t probe_number(const Program& program, uint32_t number,
                             uint32_t architecture = SCMP_ARCH_X86_64) {
  seccomp_data data = {};
  data.nr = static_cast<int>(number);
  data.arch = architecture == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : architecture;
  return execute(program, data);
}

inline uint32_t probe(const Program& program, const char* name, uint64_t arg0 = 0,
                      uint64_t arg1 = 0, uint32_t architecture = SCMP_ARCH_X86_64) {
  seccomp_data data = {};
  data.nr = seccomp_syscall_resolve_name_arch(architecture, name);
  data.arch = architecture == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : architecture;
  data.args[0] = arg0;
  data.args[1] = arg1;
  return execute(program, data);
}

}  // namespace onggi::test
