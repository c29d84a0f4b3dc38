// SPDX-License-Identifier: Apache-2.0
// The program tries the rules from the last to the first and keeps the bits of the access that
// nobody has allowed yet: an allowing rule takes its bits away (none left: allowed), a denying rule
// that meets one of them ends it. So each bit is decided by the last rule that matches it, and "rw"
// may be allowed by two rules.
#include "cgroups/device_program.h"

#include "base/fd.h"
#include "base/syscalls.h"

#include <sys/syscall.h>

#include <array>
#include <cstdint>

namespace onggi::cgroups {
namespace {

static_assert(plan::kMknod == BPF_DEVCG_ACC_MKNOD && plan::kRead == BPF_DEVCG_ACC_READ &&
              plan::kWrite == BPF_DEVCG_ACC_WRITE);

// Verifiers before Linux 5.2 take no longer program.
constexpr size_t kLongestProgram = 4096;

// Registers: the result, the context, and what the context says.
constexpr uint8_t kResult = 0, kContext = 1, kAccess = 2, kType = 3, kMajor = 4, kMinor = 5,
                  kMet = 6;

constexpr bpf_insn instruction(int code, uint8_t destination, uint8_t source, size_t jump,
                               int32_t constant) {
  bpf_insn insn{};
  insn.code = static_cast<uint8_t>(code);
  insn.dst_reg = destination & 15;
  insn.src_reg = source & 15;
  insn.off = static_cast<int16_t>(jump);
  insn.imm = constant;
  return insn;
}
constexpr bpf_insn load(uint8_t to, size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, to, kContext, offset, 0);
}
constexpr bpf_insn copy(uint8_t to, uint8_t from) {
  return instruction(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}
constexpr bpf_insn compute(int operation, uint8_t to, int32_t constant) {
  return instruction(BPF_ALU64 | operation | BPF_K, to, 0, 0, constant);
}
constexpr bpf_insn jump_if(int condition, uint8_t value, int32_t constant, size_t over) {
  return instruction(BPF_JMP | condition | BPF_K, value, 0, over, constant);
}
constexpr bpf_insn leave() {
  return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

// Instructions to skip the rest of a rule whose `field` is another; each jumps over `rest` more
// instructions.
void add_condition(uint8_t field, int64_t number, size_t& rest, std::vector<bpf_insn>& program) {
  if (number == plan::kAnyNumber) return;
  rest--;
  program.push_back(jump_if(BPF_JNE, field, static_cast<int32_t>(number), rest));
}

void add_rule(const plan::DeviceRule& rule, std::vector<bpf_insn>& program) {
  constexpr size_t kAllowLength = 3, kDenyLength = 5;
  size_t rest = 1 + (rule.allow ? kAllowLength : kDenyLength);
  for (int64_t number : {rule.major, rule.minor}) rest += number != plan::kAnyNumber;
  add_condition(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, rest, program);
  add_condition(kMajor, rule.major, rest, program);
  add_condition(kMinor, rule.minor, rest, program);
  if (rule.allow) {
    program.push_back(compute(BPF_AND, kAccess, plan::kAllAccess & ~rule.access));
    program.push_back(jump_if(BPF_JNE, kAccess, 0, 1));
  } else {
    program.push_back(copy(kMet, kAccess));
    program.push_back(compute(BPF_AND, kMet, rule.access));
    program.push_back(jump_if(BPF_JEQ, kMet, 0, 2));
    program.push_back(compute(BPF_MOV, kResult, 0));
  }
  program.push_back(leave());
}

long bpf(bpf_cmd command, const bpf_attr& attributes) {
  return sys::call(SYS_bpf, static_cast<long>(command), &attributes, sizeof attributes);
}
uint64_t address(const void* pointer) {
  return reinterpret_cast<uintptr_t>(pointer);
}

Error bpf_error(long result, std::string_view call) {
  return with_hint(at_place(system_error(result, "bpf", call), "linux.resources.devices"),
                   "device rules on cgroup v2 require CAP_BPF or CAP_SYS_ADMIN, and a kernel with "
                   "CONFIG_CGROUP_BPF");
}

Result<UniqueFd> load_program(const std::vector<bpf_insn>& program) {
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.insns = address(program.data());
  attributes.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.license = address("Apache-2.0");
  const long loaded = bpf(BPF_PROG_LOAD, attributes);
  if (loaded < 0) return bpf_error(loaded, "BPF_PROG_LOAD");
  return UniqueFd(loaded);
}

long attach(int cgroup, int program, uint32_t flags, int replaced) {
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<uint32_t>(cgroup);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  attributes.attach_flags = flags;
  attributes.replace_bpf_fd = static_cast<uint32_t>(replaced);
  return bpf(BPF_PROG_ATTACH, attributes);
}

long detach(int cgroup, int program) {
  bpf_attr attributes = {};
  attributes.target_fd = static_cast<uint32_t>(cgroup);
  attributes.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.attach_type = BPF_CGROUP_DEVICE;
  return bpf(BPF_PROG_DETACH, attributes);
}

Result<std::vector<UniqueFd>> attached_programs(int cgroup) {
  std::array<uint32_t, 64> ids = {};  // the kernel's own limit, BPF_CGROUP_MAX_PROGS
  bpf_attr attributes = {};
  attributes.query.target_fd = static_cast<uint32_t>(cgroup);
  attributes.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.query.prog_ids = address(ids.data());
  attributes.query.prog_cnt = ids.size();
  if (const long result = bpf(BPF_PROG_QUERY, attributes); result < 0)
    return bpf_error(result, "BPF_PROG_QUERY");
  std::vector<UniqueFd> programs;
  for (uint32_t i = 0; i < attributes.query.prog_cnt; i++) {
    bpf_attr by_id = {};
    by_id.prog_id = ids[i];
    const long opened = bpf(BPF_PROG_GET_FD_BY_ID, by_id);
    if (opened == -ENOENT) continue;  // detached meanwhile
    if (opened < 0) return bpf_error(opened, "BPF_PROG_GET_FD_BY_ID");
    programs.emplace_back(opened);
  }
  return programs;
}

}  // namespace

Result<std::vector<bpf_insn>> build_device_program(const plan::DevicePolicy& policy) {
  std::vector<bpf_insn> program = {
      load(kAccess, offsetof(bpf_cgroup_dev_ctx, access_type)),
      copy(kType, kAccess),
      compute(BPF_RSH, kAccess, 16),
      compute(BPF_AND, kType, 0xffff),
      load(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      load(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
      compute(BPF_MOV, kResult, 1),
  };
  for (auto rule = policy.rules.rbegin(); rule != policy.rules.rend(); ++rule)
    add_rule(*rule, program);
  program.push_back(compute(BPF_MOV, kResult, policy.default_allow ? 1 : 0));
  program.push_back(leave());
  if (program.size() > kLongestProgram) {
    return unsupported("linux.resources.devices", policy.rules.size(),
                       " rules do not fit into one BPF program");
  }
  return program;
}

Result<> attach_device_program(int cgroup, const plan::DevicePolicy& policy, bool just_made) {
  const std::vector<bpf_insn> program = TRY(build_device_program(policy));
  std::vector<UniqueFd> old;
  if (!just_made) old = TRY(attached_programs(cgroup));
  const UniqueFd loaded = TRY(load_program(program));
  // Each attached program can refuse, so that old and new together are stricter than either, never
  // laxer.
  if (old.size() == 1) {
    const uint32_t flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE;
    if (attach(cgroup, loaded.get(), flags, old.front().get()) == 0) return {};  // Linux 5.6
  }
  if (const long result = attach(cgroup, loaded.get(), BPF_F_ALLOW_MULTI, 0); result < 0) {
    return bpf_error(result, "BPF_PROG_ATTACH");
  }
  for (const UniqueFd& program_fd : old) {
    const long result = detach(cgroup, program_fd.get());
    if (result < 0 && result != -ENOENT) return bpf_error(result, "BPF_PROG_DETACH");
  }
  return {};
}

}  // namespace onggi::cgroups
