// SPDX-License-Identifier: Apache-2.0
// Every part of libseccomp's checks its architecture again, as it was made to stand alone, and
// jumps forwards within itself only, so it may be placed anywhere.
#include "libs/seccomp_join.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace onggi {
namespace {

constexpr uint32_t kX32Bit = 0x40000000;  // __X32_SYSCALL_BIT

// Numbers grow with time: per architecture at first, from 403 and 424 on for all of them together.
// `fixed` is a range beside that order, which no new call enters.
struct Numbering {
  uint32_t architecture = 0;
  uint32_t fixed_begin = 0, fixed_end = 0;
  uint32_t end = 0x80000000;  // what is above is not a number of this architecture
};
constexpr Numbering kNumberings[] = {
    {.architecture = SCMP_ARCH_X86_64, .end = kX32Bit},
    // arch/x86/entry/syscalls/syscall_64.tbl: "Do not add new syscalls to this range."
    {.architecture = SCMP_ARCH_X32, .fixed_begin = kX32Bit + 512, .fixed_end = kX32Bit + 548},
    // arch/arm/include/uapi/asm/unistd.h: __ARM_NR_BASE
    {.architecture = SCMP_ARCH_ARM, .fixed_begin = 0x0f0000, .fixed_end = 0x0f0800},
};

Numbering numbering_of(uint32_t architecture) {
  const auto* row = std::ranges::find(kNumberings, architecture, &Numbering::architecture);
  return row == std::ranges::end(kNumberings) ? Numbering{.architecture = architecture} : *row;
}

bool is_fixed(const Numbering& numbering, uint32_t number) {
  return number >= numbering.fixed_begin && number < numbering.fixed_end;
}

// What seccomp_data.arch holds: x32 differs from x86_64 in the number of the call only.
uint32_t audit_architecture(uint32_t architecture) {
  return architecture == SCMP_ARCH_X32 ? AUDIT_ARCH_X86_64 : architecture;
}

sock_filter load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
sock_filter jump_if(uint16_t comparison, uint32_t value, uint8_t then, uint8_t otherwise) {
  return BPF_JUMP(static_cast<uint16_t>(BPF_JMP | BPF_K | comparison), value, then, otherwise);
}
sock_filter answer(uint32_t value) {
  return BPF_STMT(BPF_RET | BPF_K, value);
}

// Falls out of its end for whatever it does not answer.
SeccompProgram unknown_call_check(const SeccompPart& part) {
  if (!part.newest) return {};
  const Numbering numbering = numbering_of(part.architecture);
  const uint32_t unknown = SECCOMP_RET_ERRNO | ENOSYS;
  if (numbering.fixed_end <= *part.newest) {
    return {load(offsetof(seccomp_data, nr)), jump_if(BPF_JGE, numbering.end, 2, 0),
            jump_if(BPF_JGT, *part.newest, 0, 1), answer(unknown)};
  }
  return {load(offsetof(seccomp_data, nr)),
          jump_if(BPF_JGE, numbering.end, 4, 0),
          jump_if(BPF_JGT, *part.newest, 0, 3),
          jump_if(BPF_JGE, numbering.fixed_end, 1, 0),
          jump_if(BPF_JGE, numbering.fixed_begin, 1, 0),
          answer(unknown)};
}

struct Dispatch {
  struct Jump {
    size_t at, part;
  };
  std::vector<Jump> jumps;
  SeccompProgram program;

  void jump_to(size_t part) {
    jumps.push_back({program.size(), part});
    program.push_back(BPF_STMT(BPF_JMP | BPF_JA, 0));
  }
};

Dispatch dispatch_over(std::span<const SeccompPart> parts) {
  const auto x32 = static_cast<size_t>(
      std::ranges::find(parts, SCMP_ARCH_X32, &SeccompPart::architecture) - parts.begin());
  Dispatch dispatch;
  SeccompProgram& program = dispatch.program;
  if (x32 < parts.size()) {
    program.push_back(load(offsetof(seccomp_data, nr)));
    program.push_back(jump_if(BPF_JGE, kX32Bit, 0, 3));
    program.push_back(load(offsetof(seccomp_data, arch)));
    program.push_back(jump_if(BPF_JEQ, AUDIT_ARCH_X86_64, 0, 1));
    dispatch.jump_to(x32);
  }
  program.push_back(load(offsetof(seccomp_data, arch)));
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i == x32) continue;
    program.push_back(jump_if(BPF_JEQ, audit_architecture(parts[i].architecture), 0, 1));
    dispatch.jump_to(i);
  }
  program.push_back(answer(SECCOMP_RET_KILL_THREAD));
  return dispatch;
}

// Of the actions that could be the default.
bool lets_through(spec::SeccompAction action) {
  return action == spec::SeccompAction::allow || action == spec::SeccompAction::log ||
         action == spec::SeccompAction::trace;
}

}  // namespace

std::optional<uint32_t> newest_call(const spec::Seccomp& seccomp, uint32_t architecture) {
  if (lets_through(seccomp.default_action) || seccomp.default_errno_ret == ENOSYS) return {};
  const Numbering numbering = numbering_of(architecture);
  std::optional<uint32_t> newest;
  for (const spec::SeccompSyscall& syscall : seccomp.syscalls) {
    for (spec::Text name : syscall.names) {
      // Negative: unknown, not a call of this architecture, or one of socketcall(2) and ipc(2).
      const int resolved = seccomp_syscall_resolve_name_arch(architecture, name.data());
      const auto number = static_cast<uint32_t>(resolved);
      if (resolved < 0 || is_fixed(numbering, number)) continue;
      newest = std::max(newest.value_or(0), number);
    }
  }
  return newest;
}

SeccompProgram join(std::span<const SeccompPart> parts) {
  if (parts.size() == 1 && !parts[0].newest) return parts[0].program;
  Dispatch dispatch = dispatch_over(parts);
  SeccompProgram& joined = dispatch.program;
  for (size_t i = 0; i < parts.size(); ++i) {
    for (const Dispatch::Jump& jump : dispatch.jumps) {
      if (jump.part == i) joined[jump.at].k = static_cast<uint32_t>(joined.size() - jump.at - 1);
    }
    const SeccompProgram check = unknown_call_check(parts[i]);
    joined.insert(joined.end(), check.begin(), check.end());
    joined.insert(joined.end(), parts[i].program.begin(), parts[i].program.end());
  }
  return joined;
}

}  // namespace onggi
