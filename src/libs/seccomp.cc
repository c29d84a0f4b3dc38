// SPDX-License-Identifier: Apache-2.0
// One libseccomp filter per architecture, joined here: generating podman's profile for x86_64, x86
// and x32 as one filter takes libseccomp 12 ms (19 with its binary tree), one by one 6 (7.6), as
// its time grows faster than the program.
#include "libs/seccomp.h"

#include "base/ascii.h"
#include "base/file.h"
#include "libs/seccomp_join.h"
#include "libs/sibling.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace onggi {
namespace {

// Libseccomp writes instructions in the byte order of the architecture that they are about. This
// kernel knows no calls of one with another order, so there is nothing to decide.
bool has_native_byte_order(uint32_t architecture) {
  return ((architecture ^ seccomp_arch_native()) & __AUDIT_ARCH_LE) == 0;
}

struct ReleaseFilter {
  void operator()(void* filter) const { seccomp_release(filter); }
};
using Filter = std::unique_ptr<void, ReleaseFilter>;

// Libseccomp's binary tree makes a search of some 400 comparisons one of 9; below this it only adds
// instructions.
constexpr size_t kTreeThreshold = 32;

uint32_t action_value(spec::SeccompAction action, std::optional<uint32_t> data) {
  switch (action) {
    case spec::SeccompAction::kill_process:
      return SCMP_ACT_KILL_PROCESS;
    case spec::SeccompAction::kill_thread:
      return SCMP_ACT_KILL_THREAD;
    case spec::SeccompAction::trap:
      return SCMP_ACT_TRAP;
    case spec::SeccompAction::errno_:
      return SCMP_ACT_ERRNO(data.value_or(EPERM));
    case spec::SeccompAction::trace:
      return SCMP_ACT_TRACE(data.value_or(EPERM));
    case spec::SeccompAction::allow:
      return SCMP_ACT_ALLOW;
    case spec::SeccompAction::log:
      return SCMP_ACT_LOG;
    case spec::SeccompAction::notify:
      return SCMP_ACT_NOTIFY;
  }
  __builtin_unreachable();
}

scmp_arg_cmp condition(const spec::SeccompArg& arg) {
  return {.arg = arg.index,
          .op = static_cast<scmp_compare>(arg.op),
          .datum_a = arg.value,
          .datum_b = arg.value_two};
}

// A rule ready for libseccomp. The alternatives are OR-ed, the conditions within one AND-ed.
struct Rule {
  uint32_t action = 0;
  std::vector<int> numbers;  // of system calls, as the native architecture counts them
  std::vector<std::vector<scmp_arg_cmp>> alternatives;
  size_t index = 0;  // in linux.seccomp.syscalls
};

// Libseccomp takes one condition for each argument. Two for the same one have always meant "either"
// in OCI runtimes, and then every other condition of the rule stands alone too; profiles are
// written for that.
std::vector<std::vector<scmp_arg_cmp>> alternatives(const std::vector<spec::SeccompArg>& args) {
  uint32_t seen = 0;
  bool repeated = false;
  for (const spec::SeccompArg& arg : args) {
    repeated = repeated || (seen >> arg.index & 1) != 0;
    seen |= 1U << arg.index;
  }
  std::vector<std::vector<scmp_arg_cmp>> lists(1);
  for (const spec::SeccompArg& arg : args) {
    if (repeated && !lists.back().empty()) lists.emplace_back();
    lists.back().push_back(condition(arg));
  }
  return lists;
}

std::vector<Rule> build_rules(const spec::Seccomp& seccomp, uint32_t default_action) {
  std::vector<Rule> rules;
  for (size_t i = 0; i < seccomp.syscalls.size(); ++i) {
    const spec::SeccompSyscall& syscall = seccomp.syscalls[i];
    const uint32_t action = action_value(syscall.action, syscall.errno_ret);
    // It would change nothing, and libseccomp refuses it with EACCES.
    if (action == default_action) continue;
    Rule& rule = rules.emplace_back(Rule{
        .action = action, .numbers = {}, .alternatives = alternatives(syscall.args), .index = i});
    for (spec::Text name : syscall.names) {
      const int number = seccomp_syscall_resolve_name(name.data());
      if (number != __NR_SCMP_ERROR) rule.numbers.push_back(number);
    }
  }
  return rules;
}

FixedText<64> rule_place(const Rule& rule) {
  return text<64>("linux.seccomp.syscalls[", rule.index, "]");
}

Result<> add_rule(void* filter, const Rule& rule) {
  for (int number : rule.numbers) {
    for (const std::vector<scmp_arg_cmp>& conditions : rule.alternatives) {
      const int added = seccomp_rule_add_array(
          filter, rule.action, number, static_cast<unsigned>(conditions.size()), conditions.data());
      if (added != 0)
        return at_place(system_error(added, "seccomp_rule_add"), rule_place(rule).view());
    }
  }
  return {};
}

Result<SeccompProgram> export_program(void* filter) {
  const long created = sys::memfd_create("seccomp", MFD_CLOEXEC);
  if (created < 0) return system_error(created, "memfd_create", "seccomp");
  const UniqueFd fd(created);
  const int exported = seccomp_export_bpf(filter, fd.get());
  if (exported != 0) return system_error(exported, "seccomp_export_bpf");
  struct statx info = {};
  const long known = sys::statx(fd.get(), "", AT_EMPTY_PATH, STATX_SIZE, &info);
  if (known < 0) return system_error(known, "statx", "seccomp");
  SeccompProgram program(info.stx_size / sizeof(sock_filter));
  const long count =
      sys::call(SYS_pread64, fd.get(), program.data(), program.size() * sizeof(sock_filter), 0);
  if (count < 0) return system_error(count, "pread", "seccomp");
  return program;
}

// Calls that have rules.
size_t size_of(const std::vector<Rule>& rules) {
  size_t size = 0;
  for (const Rule& rule : rules) size += rule.numbers.size();
  return size;
}

Result<SeccompProgram> compile_for(uint32_t architecture, uint32_t default_action,
                                   const std::vector<Rule>& rules) {
  const Filter filter(seccomp_init(default_action));
  if (filter == nullptr)
    return make_error(ErrorKind::unsupported,
                      "seccomp_init: this kernel does not support the default action");
  if (architecture != seccomp_arch_native()) {
    (void)seccomp_arch_remove(filter.get(),
                              SCMP_ARCH_NATIVE);  // first: one filter cannot hold both byte orders
    const int added = seccomp_arch_add(filter.get(), architecture);
    if (added != 0) return system_error(added, "seccomp_arch_add");
  }
  if (size_of(rules) > kTreeThreshold)
    (void)seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);  // an older one: slower
  for (const Rule& rule : rules) TRY(add_rule(filter.get(), rule));
  return export_program(filter.get());
}

// "SCMP_ARCH_X86_64" is "x86_64" to libseccomp; 0: it does not know it.
uint32_t architecture_value(std::string_view name) {
  constexpr std::string_view kPrefix = "SCMP_ARCH_";
  if (!name.starts_with(kPrefix)) return 0;
  std::string lower(name.substr(kPrefix.size()));
  for (char& c : lower) c = lower_case(c);
  return seccomp_arch_resolve_name(lower.c_str());
}

Result<std::vector<uint32_t>> read_architectures(const spec::Seccomp& seccomp) {
  std::vector<uint32_t> values = {seccomp_arch_native()};
  for (size_t i = 0; i < seccomp.architectures.size(); ++i) {
    const uint32_t value = architecture_value(seccomp.architectures[i]);
    if (value == 0) {
      return unsupported(text<64>("linux.seccomp.architectures[", i, "]").view(),
                         "libseccomp does not support ", seccomp.architectures[i]);
    }
    if (std::ranges::find(values, value) == values.end()) values.push_back(value);
  }
  return values;
}

Result<std::string> compile_to_bytes(uint32_t architecture, uint32_t default_action,
                                     const std::vector<Rule>& rules) {
  return bytes_of(TRY(compile_for(architecture, default_action, rules)));
}

// The first here, the others of a large profile beside it at the same time.
Result<> compile_parts(std::vector<SeccompPart>& parts, uint32_t default_action,
                       const std::vector<Rule>& rules) {
  const size_t here = size_of(rules) > kTreeThreshold ? 1 : parts.size();
  std::vector<Sibling> siblings;
  for (size_t i = here; i < parts.size(); i++) {
    siblings.push_back(TRY(Sibling::start(
        [&] { return compile_to_bytes(parts[i].architecture, default_action, rules); })));
  }
  for (size_t i = 0; i < here; i++)
    parts[i].program = TRY(compile_for(parts[i].architecture, default_action, rules));
  for (size_t i = here; i < parts.size(); i++) {
    const std::string bytes = TRY(siblings[i - here].wait());
    parts[i].program.resize(bytes.size() / sizeof(sock_filter));
    memcpy(parts[i].program.data(), bytes.data(), bytes.size());
  }
  return {};
}

}  // namespace

std::string bytes_of(const SeccompProgram& program) {
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

Result<SeccompProgram> compile_seccomp(const spec::Seccomp& seccomp) {
  const uint32_t default_action = action_value(seccomp.default_action, seccomp.default_errno_ret);
  const std::vector<Rule> rules = build_rules(seccomp, default_action);
  std::vector<SeccompPart> parts;
  for (const uint32_t architecture : TRY(read_architectures(seccomp))) {
    if (!has_native_byte_order(architecture)) continue;
    parts.push_back({.architecture = architecture,
                     .newest = newest_call(seccomp, architecture),
                     .program = {}});
  }
  TRY_AT("linux.seccomp", compile_parts(parts, default_action, rules));
  SeccompProgram program = join(parts);
  if (program.size() > BPF_MAXINSNS) {
    return unsupported("linux.seccomp", "the filter has ", program.size(),
                       " instructions, but the kernel accepts at most ", BPF_MAXINSNS);
  }
  return program;
}

}  // namespace onggi
