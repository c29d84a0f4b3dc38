// SPDX-License-Identifier: Apache-2.0
// Calls that are newer than the profile: ENOSYS where it denies what it does not name, and only
// there.
#include "bpf.h"

#include <cerrno>

namespace onggi::test {
namespace {

using spec::SeccompAction;

constexpr uint32_t kAllow = SECCOMP_RET_ALLOW, kUnknown = SECCOMP_RET_ERRNO | ENOSYS;
constexpr uint32_t kDenied = SECCOMP_RET_ERRNO | EPERM;
constexpr uint32_t kX32 = 0x40000000;

// Names the newest of three generations: read, clone3 (435) and faccessat2 (439).
spec::Seccomp profile(SeccompAction default_action, spec::TextList architectures = {}) {
  spec::Seccomp seccomp;
  seccomp.default_action = default_action;
  seccomp.architectures = std::move(architectures);
  seccomp.syscalls = {rule({"faccessat2", "read", "no_such_call", "clone3"}, SeccompAction::allow)};
  return seccomp;
}

TEST_CASE("a call above the newest that the profile names fails with ENOSYS") {
  const Program program = compile(profile(SeccompAction::errno_));
  CHECK(probe(program, "read") == kAllow);
  CHECK(probe(program, "clone3") == kAllow);
  CHECK(probe(program, "faccessat2") == kAllow);
  CHECK(probe(program, "write") == kDenied);
  CHECK(probe(program, "openat2") == kDenied);  // 437: the author could have named it
  CHECK(probe_number(program, 438) == kDenied);
  CHECK(probe_number(program, 440) == kUnknown);
  CHECK(probe_number(program, 462) == kUnknown);
  CHECK(probe_number(program, kX32 - 1) == kUnknown);
}

TEST_CASE("the gap in the numbers of x86_64 is older than what is above it") {
  const Program program = compile(profile(SeccompAction::errno_));
  CHECK(probe_number(program, 334) == kDenied);
  CHECK(probe_number(program, 400) == kDenied);
  spec::Seccomp old;
  old.default_action = SeccompAction::errno_;
  old.syscalls = {rule({"rseq", "read"}, SeccompAction::allow)};  // 334, the last before the gap
  const Program older = compile(old);
  CHECK(probe_number(older, 334) == kAllow);
  CHECK(probe_number(older, 335) == kUnknown);
  CHECK(probe_number(older, 424) == kUnknown);
}

TEST_CASE("only a default action that denies makes newer calls unknown") {
  struct {
    SeccompAction action;
    uint32_t newer;
  } const cases[] = {
      {SeccompAction::errno_, kUnknown},
      {SeccompAction::kill_process, kUnknown},
      {SeccompAction::kill_thread, kUnknown},
      {SeccompAction::trap, kUnknown},
      {SeccompAction::allow, kAllow},
      {SeccompAction::log, SECCOMP_RET_LOG},
      {SeccompAction::trace, SECCOMP_RET_TRACE | EPERM},
  };
  for (const auto& each : cases) {
    CAPTURE(static_cast<int>(each.action));
    spec::Seccomp seccomp = profile(each.action);
    seccomp.syscalls[0].action = SeccompAction::errno_;
    seccomp.syscalls[0].errno_ret = EINTR;
    const Program program = compile(seccomp);
    CHECK(probe(program, "faccessat2") == (SECCOMP_RET_ERRNO | EINTR));
    CHECK(probe_number(program, 440) == each.newer);
  }
}

TEST_CASE("an explicit errno of the default action holds for the calls that the profile knew") {
  spec::Seccomp seccomp = profile(SeccompAction::errno_);
  seccomp.default_errno_ret = EACCES;
  const Program program = compile(seccomp);
  CHECK(probe(program, "write") == (SECCOMP_RET_ERRNO | EACCES));
  CHECK(probe_number(program, 440) == kUnknown);
  seccomp.default_errno_ret = ENOSYS;
  CHECK_FALSE(newest_call(seccomp, SCMP_ARCH_X86_64).has_value());
}

TEST_CASE("a profile that names no call knows no age") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  CHECK(probe_number(compile(seccomp), 462) == kDenied);
  seccomp.syscalls = {rule({"no_such_call"}, SeccompAction::allow)};
  CHECK(probe_number(compile(seccomp), 462) == kDenied);
}

TEST_CASE("a rule that says what the default says counts for the age") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.syscalls = {rule({"read"}, SeccompAction::allow),
                      rule({"faccessat2"}, SeccompAction::errno_)};
  const Program program = compile(seccomp);
  CHECK(probe(program, "faccessat2") == kDenied);
  CHECK(probe_number(program, 440) == kUnknown);
}

#if defined(__x86_64__)
TEST_CASE("each architecture has its own newest call") {
  // getrlimit is the newest but one: 97, 76, 0x40000000 + 97, 163. execveat is 322, 358,
  // 0x40000000 + 545, 281.
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
                           "SCMP_ARCH_AARCH64"};
  seccomp.syscalls = {rule({"getrlimit", "execveat"}, SeccompAction::allow)};
  const Program program = compile(seccomp);
  CHECK(probe_number(program, 322) == kAllow);
  CHECK(probe_number(program, 323) == kUnknown);
  CHECK(probe_number(program, 358, SCMP_ARCH_X86) == kAllow);
  CHECK(probe_number(program, 357, SCMP_ARCH_X86) == kDenied);
  CHECK(probe_number(program, 359, SCMP_ARCH_X86) == kUnknown);
  CHECK(probe_number(program, 281, SCMP_ARCH_AARCH64) == kAllow);
  CHECK(probe_number(program, 282, SCMP_ARCH_AARCH64) == kUnknown);
  CHECK(probe_number(program, 322, SCMP_ARCH_ARM) == SECCOMP_RET_KILL_THREAD);
}

TEST_CASE("x32: its old calls of its own do not hide the newer ones, and are not unknown") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.architectures = {"SCMP_ARCH_X32"};
  seccomp.syscalls = {rule({"getrlimit", "execveat"}, SeccompAction::allow)};
  const Program program = compile(seccomp);
  CHECK(newest_call(seccomp, SCMP_ARCH_X32) == kX32 + 97);
  CHECK(probe_number(program, kX32 + 97, SCMP_ARCH_X32) == kAllow);
  CHECK(probe_number(program, kX32 + 96, SCMP_ARCH_X32) == kDenied);
  CHECK(probe_number(program, kX32 + 98, SCMP_ARCH_X32) == kUnknown);
  CHECK(probe_number(program, kX32 + 511, SCMP_ARCH_X32) == kUnknown);
  CHECK(probe_number(program, kX32 + 512, SCMP_ARCH_X32) == kDenied);
  CHECK(probe_number(program, kX32 + 545, SCMP_ARCH_X32) == kAllow);
  CHECK(probe_number(program, kX32 + 547, SCMP_ARCH_X32) == kDenied);
  CHECK(probe_number(program, kX32 + 548, SCMP_ARCH_X32) == kUnknown);
}

TEST_CASE("x32 calls stay forbidden where the profile has no x32") {
  const Program program = compile(profile(SeccompAction::errno_));
  CHECK(probe_number(program, kX32) == SECCOMP_RET_KILL_THREAD);
  CHECK(probe_number(program, kX32 + 440) == SECCOMP_RET_KILL_THREAD);
}

TEST_CASE("calls behind socketcall do not count for the age") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.architectures = {"SCMP_ARCH_X86"};
  // On x86 accept is a part of socketcall only (libseccomp: a negative number), getrlimit is 76.
  seccomp.syscalls = {rule({"accept", "getrlimit"}, SeccompAction::allow)};
  REQUIRE(seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86, "accept") < 0);
  CHECK(newest_call(seccomp, SCMP_ARCH_X86) == 76);
}

TEST_CASE("arm: the kernel's private calls are no measure of age, and not unknown") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.architectures = {"SCMP_ARCH_ARM"};
  seccomp.syscalls = {rule({"cacheflush", "set_tls", "read"}, SeccompAction::allow)};
  CHECK(newest_call(seccomp, SCMP_ARCH_ARM) == 3);
  const Program program = compile(seccomp);
  CHECK(probe_number(program, 0x0f0002, SCMP_ARCH_ARM) == kAllow);
  CHECK(probe_number(program, 0x0f0003, SCMP_ARCH_ARM) == kDenied);
  CHECK(probe_number(program, 4, SCMP_ARCH_ARM) == kUnknown);
}
#endif

}  // namespace
}  // namespace onggi::test
