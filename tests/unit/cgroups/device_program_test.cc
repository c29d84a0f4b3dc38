// SPDX-License-Identifier: Apache-2.0
// The device program, run by an interpreter of the few instructions that it uses, against the
// rules' definition.
#include "cgroups/device_program.h"

#include <doctest/doctest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>
#include <vector>

namespace {

using namespace onggi;
constexpr int64_t kAny = plan::kAnyNumber;

int run(const std::vector<bpf_insn>& program, const bpf_cgroup_dev_ctx& context) {
  uint64_t registers[11] = {};
  for (size_t at = 0; at < program.size(); at++) {
    const bpf_insn& insn = program[at];
    uint64_t& to = registers[insn.dst_reg];
    const auto constant = static_cast<uint64_t>(int64_t{insn.imm});
    bool jump = false;
    switch (insn.code) {
      case BPF_LDX | BPF_MEM | BPF_W: {
        REQUIRE(insn.src_reg == 1);
        uint32_t value = 0;
        std::memcpy(&value, reinterpret_cast<const char*>(&context) + insn.off, sizeof value);
        to = value;
        break;
      }
      case BPF_ALU64 | BPF_MOV | BPF_X:
        to = registers[insn.src_reg];
        break;
      case BPF_ALU64 | BPF_MOV | BPF_K:
        to = constant;
        break;
      case BPF_ALU64 | BPF_AND | BPF_K:
        to &= constant;
        break;
      case BPF_ALU64 | BPF_RSH | BPF_K:
        to >>= constant;
        break;
      case BPF_JMP | BPF_JNE | BPF_K:
        jump = to != constant;
        break;
      case BPF_JMP | BPF_JEQ | BPF_K:
        jump = to == constant;
        break;
      case BPF_JMP | BPF_EXIT:
        return static_cast<int>(registers[0]);
      default:
        FAIL("unknown instruction ", int{insn.code});
    }
    if (jump) at += static_cast<size_t>(insn.off);
  }
  FAIL("ran past the end");
  return -1;
}

bool defined(const plan::DevicePolicy& policy, char type, uint32_t major, uint32_t minor,
             unsigned access) {
  for (unsigned bit : {1u, 2u, 4u}) {
    if ((access & bit) == 0) continue;
    bool allowed = policy.default_allow;
    for (const plan::DeviceRule& rule : policy.rules) {
      const bool matches = rule.type == type && (rule.major == kAny || rule.major == major) &&
                           (rule.minor == kAny || rule.minor == minor) && (rule.access & bit) != 0;
      if (matches) allowed = rule.allow;
    }
    if (!allowed) return false;
  }
  return true;
}

void check_everywhere(const plan::DevicePolicy& policy) {
  const auto program = onggi::cgroups::build_device_program(policy);
  REQUIRE(program);
  size_t wrong = 0;
  for (char type : {'c', 'b'}) {
    for (uint32_t major = 0; major < 4; major++) {
      for (uint32_t minor = 0; minor < 4; minor++) {
        for (uint32_t access = 1; access < 8; access++) {
          const uint32_t kind = type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
          const bpf_cgroup_dev_ctx context{
              .access_type = access << 16 | kind, .major = major, .minor = minor};
          wrong +=
              (run(program.value(), context) != 0) != defined(policy, type, major, minor, access);
        }
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("the program decides as the last matching rule does") {
  check_everywhere({false, {}});
  check_everywhere({true, {}});
  check_everywhere(
      {false,
       {{true, 'c', 1, 3, 7, ""}, {false, 'c', 1, kAny, 4, ""}, {true, 'c', kAny, 3, 4, ""}}});
  check_everywhere({true, {{false, 'b', kAny, kAny, 2, ""}, {true, 'b', 0, 0, 7, ""}}});
}

TEST_CASE("the program decides as the rules do for random rules, and so do v1's exceptions") {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same rules each time
  const auto below = [&](unsigned limit) { return static_cast<int64_t>(random() % limit); };
  size_t additive_count = 0;
  for (int round = 0; round < 2000; round++) {
    plan::DevicePolicy policy{below(2) == 1, {}};
    for (int64_t count = below(6); count > 0; count--) {
      policy.rules.push_back({below(2) == 1, below(2) == 1 ? 'c' : 'b', below(4) - 1, below(4) - 1,
                              static_cast<uint8_t>(1 + below(7)), ""});
    }
    check_everywhere(policy);
    const auto additive = plan::additive_device_policy(policy);
    if (!additive) continue;  // v1 cannot say it
    additive_count++;
    for (char type : {'c', 'b'}) {
      for (uint32_t at = 0; at < 16 * 7; at++) {
        const uint32_t major = at % 4, minor = at / 4 % 4, access = 1 + at / 16;
        CHECK(defined(additive.value(), type, major, minor, access) ==
              defined(policy, type, major, minor, access));
      }
    }
  }
  CHECK(additive_count > 500);
}

TEST_CASE("too many rules for the verifier are an error") {
  plan::DevicePolicy policy;
  for (int i = 0; i < 2000; i++) policy.rules.push_back({true, 'c', 1, i, 7, ""});
  const auto program = onggi::cgroups::build_device_program(policy);
  REQUIRE_FALSE(program);
  CHECK(program.error().place.view() == "linux.resources.devices");
}

TEST_CASE("the kernel's verifier takes the program") {
  const auto policy = plan::build_device_policy({});
  const auto program = onggi::cgroups::build_device_program(policy.value());
  REQUIRE(program);
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = reinterpret_cast<uintptr_t>(program.value().data());
  attributes.insn_cnt = static_cast<uint32_t>(program.value().size());
  attributes.license = reinterpret_cast<uintptr_t>("Apache-2.0");
  const long fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes);
  if (fd < 0 && (errno == EPERM || errno == ENOSYS)) {
    MESSAGE("SKIPPED: bpf(2) is not permitted here");
    return;
  }
  REQUIRE(fd >= 0);
  close(static_cast<int>(fd));
}

}  // namespace
