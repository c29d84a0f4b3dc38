// SPDX-License-Identifier: Apache-2.0
// A constant of the header stands for an architecture of the library.
#include "linux/seccomp_support.h"

#include "base/syscalls.h"
#include "spec/names.h"

#include <linux/seccomp.h>
#include <seccomp.h>

#include <algorithm>

namespace onggi {
namespace {

// Those of the schema that came after libseccomp 2.5, which we ask for.
constexpr std::string_view kUnknownArchitectures[] = {
#ifndef SCMP_ARCH_LOONGARCH64
    "SCMP_ARCH_LOONGARCH64",
#endif
#ifndef SCMP_ARCH_M68K
    "SCMP_ARCH_M68K",
#endif
#ifndef SCMP_ARCH_SH
    "SCMP_ARCH_SH",
#endif
#ifndef SCMP_ARCH_SHEB
    "SCMP_ARCH_SHEB",
#endif
    ""};

bool knows_architecture(std::string_view name) {
  return std::ranges::find(kUnknownArchitectures, name) == std::ranges::end(kUnknownArchitectures);
}

uint32_t supported_flags() {
  uint32_t supported = 0;
  for (const auto& name : spec::kSeccompFlagNames) {
    // WAIT_KILLABLE_RECV is valid with NEW_LISTENER only. A known flag gets as far as the missing
    // filter.
    const uint32_t flags = name.value | (name.value == SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
                                             ? SECCOMP_FILTER_FLAG_NEW_LISTENER
                                             : 0);
    if (sys::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) == -EFAULT)
      supported |= name.value;
  }
  return supported;
}

}  // namespace

std::string libseccomp_version() {
  return std::string(text<48>(SCMP_VER_MAJOR, ".", SCMP_VER_MINOR, ".", SCMP_VER_MICRO).view());
}

std::vector<std::string_view> seccomp_architectures() {
  std::vector<std::string_view> names;
  for (const auto& name : spec::kSeccompArchitectureNames) {
    if (knows_architecture(name.text)) names.push_back(name.text);
  }
  return names;
}

std::vector<std::string_view> seccomp_supported_flags() {
  const uint32_t supported = supported_flags();
  std::vector<std::string_view> names;
  for (const auto& name : spec::kSeccompFlagNames) {
    if ((supported & name.value) != 0) names.push_back(name.text);
  }
  return names;
}

Result<> check_seccomp_support(const spec::Seccomp& seccomp) {
  for (size_t i = 0; i < seccomp.architectures.size(); ++i) {
    if (!knows_architecture(seccomp.architectures[i])) {
      return unsupported(text<64>("linux.seccomp.architectures[", i, "]").view(), "libseccomp ",
                         libseccomp_version(), " does not support ", seccomp.architectures[i]);
    }
  }
  const uint32_t missing = seccomp.flags.value_or(0) & ~supported_flags();
  for (const auto& name : spec::kSeccompFlagNames) {
    if ((missing & name.value) != 0)
      return unsupported("linux.seccomp.flags", "this kernel does not support ", name.text);
  }
  return {};
}

}  // namespace onggi
