// SPDX-License-Identifier: Apache-2.0
// linux.seccomp as a BPF program, made by libseccomp.
#pragma once

#include "base/result.h"
#include "linux/seccomp_join.h"
#include "spec/spec.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onggi {

// At most BPF_MAXINSNS instructions.
//
// System calls that libseccomp does not know are left out: profiles are newer than hosts. The
// native architecture is always a part of the filter. Any other is killed (SCMP_ACT_KILL_THREAD).
// A profile that denies what it does not name answers calls newer than all that it names with
// ENOSYS, see newest_call().
Result<SeccompProgram> compile_seccomp(const spec::Seccomp& seccomp);

// What can be known before anything is done: libseccomp knows the architectures and the kernel the
// flags. No side effects.
Result<> check_seccomp_support(const spec::Seccomp& seccomp);

// For `features`.
std::string libseccomp_version();                       // "2.5.4"
std::vector<std::string_view> seccomp_architectures();  // those of the schema that libseccomp knows
std::vector<std::string_view>
seccomp_supported_flags();  // those of the schema that the running kernel knows

}  // namespace onggi
