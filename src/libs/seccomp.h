// SPDX-License-Identifier: Apache-2.0
// linux.seccomp as a BPF program, made by libseccomp.
#pragma once

#include "base/result.h"
#include "libs/seccomp_join.h"
#include "spec/spec.h"

#include <string>

namespace onggi {

// At most BPF_MAXINSNS instructions.
//
// System calls that libseccomp does not know are left out: profiles are newer than hosts. The
// native architecture is always a part of the filter. Any other is killed (SCMP_ACT_KILL_THREAD).
// A profile that denies what it does not name answers calls newer than all that it names with
// ENOSYS, see newest_call().
Result<SeccompProgram> compile_seccomp(const spec::Seccomp& seccomp);

// The instructions as they are sent and loaded.
std::string bytes_of(const SeccompProgram& program);

}  // namespace onggi
