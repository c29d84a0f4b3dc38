// SPDX-License-Identifier: Apache-2.0
// Compiled filters, call by call.
#include "bpf.h"
#include "linux/seccomp_support.h"
#include "spec/names.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace onggi {
namespace {

using spec::SeccompAction;
using test::compile;
using test::execute;
using test::probe;
using test::Program;
using test::rule;

Program load(int fd) {
  const auto size = static_cast<size_t>(lseek(fd, 0, SEEK_END));
  Program program(size / sizeof(sock_filter));
  REQUIRE(pread(fd, program.data(), size, 0) == static_cast<ssize_t>(size));
  return program;
}

constexpr uint8_t kNotEqual = SCMP_CMP_NE, kEqual = SCMP_CMP_EQ, kMasked = SCMP_CMP_MASKED_EQ;

TEST_CASE("conditions on different arguments must all hold") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.syscalls = {
      rule({"socket"}, SeccompAction::allow, {{0, 1, 0, kEqual}, {1, 1, 0, kEqual}})};
  const Program program = compile(seccomp);
  CHECK(probe(program, "socket", 1, 1) == SECCOMP_RET_ALLOW);
  CHECK(probe(program, "socket", 1, 2) == (SECCOMP_RET_ERRNO | EPERM));
  CHECK(probe(program, "socket", 2, 1) == (SECCOMP_RET_ERRNO | EPERM));
  CHECK(probe(program, "socket", 2, 2) == (SECCOMP_RET_ERRNO | EPERM));
  CHECK(probe(program, "socket", 1 + (1ULL << 32), 1) == (SECCOMP_RET_ERRNO | EPERM));
}

TEST_CASE("conditions on one argument are alternatives") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.default_errno_ret = ENOSYS;
  seccomp.syscalls = {
      rule({"personality"}, SeccompAction::allow, {{0, 0, 0, kEqual}, {0, 8, 0, kEqual}})};
  const Program program = compile(seccomp);
  CHECK(probe(program, "personality", 0) == SECCOMP_RET_ALLOW);
  CHECK(probe(program, "personality", 8) == SECCOMP_RET_ALLOW);
  CHECK(probe(program, "personality", 4) == (SECCOMP_RET_ERRNO | ENOSYS));
}

TEST_CASE("comparison operators look at all 64 bits") {
  spec::Seccomp seccomp;
  seccomp.syscalls = {
      rule({"socket"}, SeccompAction::errno_, {{0, 16, 0, kNotEqual}}, EINVAL),
      rule({"clone"}, SeccompAction::errno_, {{0, 0x7E020000, 0x10000000, kMasked}})};
  const Program program = compile(seccomp);
  CHECK(probe(program, "socket", 16) == SECCOMP_RET_ALLOW);
  CHECK(probe(program, "socket", 16 + (1ULL << 40)) == (SECCOMP_RET_ERRNO | EINVAL));
  CHECK(probe(program, "clone", 0x10000011) == (SECCOMP_RET_ERRNO | EPERM));
  CHECK(probe(program, "clone", 0x30000011) == SECCOMP_RET_ALLOW);
}

TEST_CASE("every action has its return value; errnoRet belongs to ERRNO and TRACE") {
  struct {
    SeccompAction action;
    std::optional<uint32_t> data;
    uint32_t value;
  } const cases[] = {
      {SeccompAction::kill_process, {}, SECCOMP_RET_KILL_PROCESS},
      {SeccompAction::kill_thread, {}, SECCOMP_RET_KILL_THREAD},
      {SeccompAction::trap, {}, SECCOMP_RET_TRAP},
      {SeccompAction::log, {}, SECCOMP_RET_LOG},
      {SeccompAction::trace, {}, SECCOMP_RET_TRACE | EPERM},
      {SeccompAction::trace, 7, SECCOMP_RET_TRACE | 7},
      {SeccompAction::errno_, {}, SECCOMP_RET_ERRNO | EPERM},
      {SeccompAction::errno_, 0, SECCOMP_RET_ERRNO},
      {SeccompAction::notify, {}, SECCOMP_RET_USER_NOTIF},
  };
  for (const auto& each : cases) {
    spec::Seccomp seccomp;
    seccomp.syscalls = {rule({"getppid"}, each.action, {}, each.data)};
    const Program program = compile(seccomp);
    CHECK(probe(program, "getppid") == each.value);
    CHECK(probe(program, "getpid") == SECCOMP_RET_ALLOW);
  }
}

TEST_CASE("unknown system calls and rules that say what the default says are left out") {
  spec::Seccomp seccomp;
  seccomp.syscalls = {rule({"no_such_call", "getppid"}, SeccompAction::errno_),
                      rule({"getpid"}, SeccompAction::allow),
                      rule({"nor_this"}, SeccompAction::trap)};
  const Program program = compile(seccomp);
  CHECK(probe(program, "getppid") == (SECCOMP_RET_ERRNO | EPERM));
  CHECK(probe(program, "getpid") == SECCOMP_RET_ALLOW);
}

TEST_CASE("an architecture that libseccomp does not know is named") {
  spec::Seccomp seccomp;
  seccomp.architectures = {"SCMP_ARCH_X86", "SCMP_ARCH_VAX"};
  const Result<SeccompProgram> compiled = compile_seccomp(seccomp);
  REQUIRE_FALSE(static_cast<bool>(compiled));
  CHECK(compiled.error().place.view() == "linux.seccomp.architectures[1]");
}

TEST_CASE("an architecture of the other byte order changes nothing") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.syscalls = {rule({"read"}, SeccompAction::allow)};
  const Program without = compile(seccomp);
  seccomp.architectures = {"SCMP_ARCH_S390X", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_PPC"};
  const Program with = compile(seccomp);
  REQUIRE(with.size() == without.size());
  CHECK(std::memcmp(with.data(), without.data(), with.size() * sizeof(sock_filter)) == 0);
}

TEST_CASE("a filter that the kernel would not take is refused") {
  spec::Seccomp seccomp;
  // Each value is a comparison of its own.
  for (uint64_t value = 0; value < 1500; ++value) {
    seccomp.syscalls.push_back(
        rule({"read"}, SeccompAction::errno_,
             {{0, value << 32 | 1, 0, kEqual}, {1, value << 32 | 1, 0, kEqual}}));
  }
  const Result<SeccompProgram> compiled = compile_seccomp(seccomp);
  REQUIRE_FALSE(static_cast<bool>(compiled));
  CHECK(compiled.error().place.view() == "linux.seccomp");
  CHECK(compiled.error().message.view().find("the kernel accepts at most 4096") !=
        std::string_view::npos);
}

#if defined(__x86_64__)
// The joined program must decide as the one that libseccomp makes of all architectures together.
TEST_CASE("several architectures decide as libseccomp's own filter for them does") {
  spec::Seccomp seccomp;
  seccomp.default_action = SeccompAction::errno_;
  seccomp.default_errno_ret = ENOSYS;
  seccomp.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32",
                           "SCMP_ARCH_AARCH64"};
  spec::TextList names;
  std::vector<std::string> owned;
  owned.reserve(400);
  for (int number = 0; number < 335; number += number % 3 == 0 ? 1 : 2) {
    char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, number);
    if (name != nullptr && std::strcmp(name, "personality") != 0)
      names.push_back(owned.emplace_back(name));
    free(name);
  }
  REQUIRE(names.size() > 100);
  seccomp.syscalls = {
      rule(names, SeccompAction::allow),
      rule({"personality"}, SeccompAction::errno_, {{0, 8, 0, kEqual}, {1, 2, 0, kNotEqual}}, 5)};
  const Program joined = compile(seccomp);

  void* reference = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
  for (uint32_t each :
       std::initializer_list<uint32_t>{SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64}) {
    REQUIRE(seccomp_arch_add(reference, each) == 0);
  }
  for (spec::Text name : names) {
    REQUIRE(seccomp_rule_add_array(reference, SCMP_ACT_ALLOW,
                                   seccomp_syscall_resolve_name(name.data()), 0, nullptr) == 0);
  }
  const scmp_arg_cmp conditions[] = {{0, SCMP_CMP_EQ, 8, 0}, {1, SCMP_CMP_NE, 2, 0}};
  REQUIRE(seccomp_rule_add_array(reference, SCMP_ACT_ERRNO(5), SCMP_SYS(personality), 2,
                                 conditions) == 0);
  const int fd = memfd_create("reference", MFD_CLOEXEC);
  REQUIRE(seccomp_export_bpf(reference, fd) == 0);
  const Program whole = load(fd);
  close(fd);
  seccomp_release(reference);

  size_t different = 0;
  constexpr uint32_t kArchitectures[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
                                         AUDIT_ARCH_ARM, 0};
  for (uint32_t architecture : kArchitectures) {
    for (uint32_t base : {0U, 0x40000000U, 0x80000000U, 0xfffffe00U}) {
      for (uint32_t number = 0; number < 512; ++number) {
        for (uint64_t arg0 : {0ULL, 8ULL}) {
          for (uint64_t arg1 : {2ULL, 3ULL}) {
            seccomp_data data = {};
            data.nr = static_cast<int>(base + number);
            data.arch = architecture;
            data.args[0] = arg0;
            data.args[1] = arg1;
            if (execute(joined, data) != execute(whole, data)) ++different;
          }
        }
      }
    }
  }
  CHECK(different == 0);
}
#endif

TEST_CASE("what is known of libseccomp without it is what it says itself") {
  const scmp_version* version = seccomp_version();
  CHECK(libseccomp_version() ==
        text<48>(version->major, ".", version->minor, ".", version->micro).view());
  const std::vector<std::string_view> known = seccomp_architectures();
  for (const auto& name : spec::kSeccompArchitectureNames) {
    CAPTURE(name.text);
    std::string resolved(name.text.substr(std::strlen("SCMP_ARCH_")));
    for (char& c : resolved) c = static_cast<char>(std::tolower(c));
    const bool knows = seccomp_arch_resolve_name(resolved.c_str()) != 0;
    CHECK((std::ranges::find(known, name.text) != known.end()) == knows);
    spec::Seccomp seccomp;
    seccomp.architectures = {"SCMP_ARCH_X86", name.text};
    const Result<> checked = check_seccomp_support(seccomp);
    CHECK(static_cast<bool>(checked) == knows);
    if (!checked) CHECK(checked.error().place.view() == "linux.seccomp.architectures[1]");
  }
}

}  // namespace
}  // namespace onggi
