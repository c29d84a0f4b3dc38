// SPDX-License-Identifier: Apache-2.0
// Kernel numbers come from the kernel's own headers; what those of Linux 6.1 lack is written out.
#include "spec/names.h"

#include "base/ascii.h"
#include "base/nearest.h"

#include <linux/mempolicy.h>
#include <linux/personality.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

namespace onggi::spec {

constexpr Name<int> kRlimitNames[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

// SCHED_ISO of the specification was reserved in 2003 and has never been in a kernel.
constexpr Name<int> kSchedulerPolicyNames[] = {
    {"SCHED_BATCH", SCHED_BATCH}, {"SCHED_DEADLINE", SCHED_DEADLINE}, {"SCHED_FIFO", SCHED_FIFO},
    {"SCHED_IDLE", SCHED_IDLE},   {"SCHED_OTHER", SCHED_NORMAL},      {"SCHED_RR", SCHED_RR},
};

constexpr Name<uint64_t> kSchedulerFlagNames[] = {
    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
    {"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
};

// ioprio_set(2). The kernel's header is no C++ since Linux 6.6 and Debian's 6.1.192: a parameter
// there is named "class".
constexpr Name<int> kIoPriorityClassNames[] = {
    {"IOPRIO_CLASS_BE", 2},
    {"IOPRIO_CLASS_IDLE", 3},
    {"IOPRIO_CLASS_RT", 1},
};

constexpr Name<NamespaceType> kNamespaceNames[] = {
    {"cgroup", NamespaceType::cgroup}, {"ipc", NamespaceType::ipc},
    {"mount", NamespaceType::mount},   {"network", NamespaceType::network},
    {"pid", NamespaceType::pid},       {"time", NamespaceType::time},
    {"user", NamespaceType::user},     {"uts", NamespaceType::uts},
};

// Docker writes the recursive forms, which the specification's schema does not know.
constexpr Name<RootfsPropagation> kPropagationNames[] = {
    {"private", RootfsPropagation::private_},
    {"rprivate", RootfsPropagation::private_},
    {"rshared", RootfsPropagation::shared},
    {"rslave", RootfsPropagation::slave},
    {"runbindable", RootfsPropagation::unbindable},
    {"shared", RootfsPropagation::shared},
    {"slave", RootfsPropagation::slave},
    {"unbindable", RootfsPropagation::unbindable},
};

constexpr Name<SeccompAction> kSeccompActionNames[] = {
    {"SCMP_ACT_ALLOW", SeccompAction::allow},
    {"SCMP_ACT_ERRNO", SeccompAction::errno_},
    {"SCMP_ACT_KILL", SeccompAction::kill_thread},
    {"SCMP_ACT_KILL_PROCESS", SeccompAction::kill_process},
    {"SCMP_ACT_KILL_THREAD", SeccompAction::kill_thread},
    {"SCMP_ACT_LOG", SeccompAction::log},
    {"SCMP_ACT_NOTIFY", SeccompAction::notify},
    {"SCMP_ACT_TRACE", SeccompAction::trace},
    {"SCMP_ACT_TRAP", SeccompAction::trap},
};

constexpr Name<uint8_t> kSeccompOperatorNames[] = {
    {"SCMP_CMP_EQ", 4}, {"SCMP_CMP_GE", 5},        {"SCMP_CMP_GT", 6}, {"SCMP_CMP_LE", 3},
    {"SCMP_CMP_LT", 2}, {"SCMP_CMP_MASKED_EQ", 7}, {"SCMP_CMP_NE", 1},
};

constexpr Name<uint32_t> kSeccompFlagNames[] = {
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};

constexpr Name<bool> kSeccompArchitectureNames[] = {
    {"SCMP_ARCH_AARCH64", true},     {"SCMP_ARCH_ARM", true},    {"SCMP_ARCH_LOONGARCH64", true},
    {"SCMP_ARCH_M68K", true},        {"SCMP_ARCH_MIPS", true},   {"SCMP_ARCH_MIPS64", true},
    {"SCMP_ARCH_MIPS64N32", true},   {"SCMP_ARCH_MIPSEL", true}, {"SCMP_ARCH_MIPSEL64", true},
    {"SCMP_ARCH_MIPSEL64N32", true}, {"SCMP_ARCH_PARISC", true}, {"SCMP_ARCH_PARISC64", true},
    {"SCMP_ARCH_PPC", true},         {"SCMP_ARCH_PPC64", true},  {"SCMP_ARCH_PPC64LE", true},
    {"SCMP_ARCH_RISCV64", true},     {"SCMP_ARCH_S390", true},   {"SCMP_ARCH_S390X", true},
    {"SCMP_ARCH_SH", true},          {"SCMP_ARCH_SHEB", true},   {"SCMP_ARCH_X32", true},
    {"SCMP_ARCH_X86", true},         {"SCMP_ARCH_X86_64", true},
};

constexpr Name<int> kMemoryPolicyModeNames[] = {
    {"MPOL_BIND", MPOL_BIND},
    {"MPOL_DEFAULT", MPOL_DEFAULT},
    {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
    {"MPOL_LOCAL", MPOL_LOCAL},
    {"MPOL_PREFERRED", MPOL_PREFERRED},
    {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
    {"MPOL_WEIGHTED_INTERLEAVE", kMpolWeightedInterleave},
};

constexpr Name<uint32_t> kMemoryPolicyFlagNames[] = {
    {"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
    {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
    {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
};

constexpr Name<uint32_t> kPersonalityNames[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};

static_assert(names_sorted(kRlimitNames) && names_sorted(kSchedulerPolicyNames) &&
              names_sorted(kSchedulerFlagNames) && names_sorted(kIoPriorityClassNames) &&
              names_sorted(kNamespaceNames) && names_sorted(kPropagationNames) &&
              names_sorted(kSeccompActionNames) && names_sorted(kSeccompOperatorNames) &&
              names_sorted(kSeccompFlagNames) && names_sorted(kSeccompArchitectureNames) &&
              names_sorted(kMemoryPolicyModeNames) && names_sorted(kMemoryPolicyFlagNames) &&
              names_sorted(kPersonalityNames));

namespace {

// "SCHED_" of "SCHED_FIFO" and "SCHED_RR": up to the last underscore that all names have in common.
Text common_prefix(std::span<const Text> names) {
  Text prefix = names.front();
  for (const Text name : names) {
    while (!name.starts_with(prefix)) prefix.remove_suffix(1);
  }
  return prefix.substr(0, prefix.rfind('_') + 1);
}

// Names that are used elsewhere for the same thing, and no slip of the pen.
constexpr std::pair<Text, Text> kSynonyms[] = {
    {"amd64", "SCMP_ARCH_X86_64"},
    {"arm64", "SCMP_ARCH_AARCH64"},
    {"mnt", "mount"},
    {"net", "network"},
    {"SCHED_NORMAL", "SCHED_OTHER"},
};

}  // namespace

Text name_meant(Text given, std::span<const Text> names) {
  for (const auto& [word, name] : kSynonyms) {
    if (word == given && std::ranges::find(names, name) != names.end()) return name;
  }
  const std::string full = std::string(common_prefix(names)) + upper_case(given.substr(0, 64));
  const auto exact = std::ranges::find(names, Text(full));
  if (exact != names.end()) return *exact;
  const Text near = nearest(given, names);
  return near.empty() ? nearest(full, names) : near;
}

Text namespace_name(NamespaceType type) {
  for (const auto& name : kNamespaceNames) {
    if (name.value == type) return name.text;
  }
  return {};
}

}  // namespace onggi::spec
