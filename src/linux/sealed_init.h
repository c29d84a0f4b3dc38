// SPDX-License-Identifier: Apache-2.0
// onggi-init as an executable that no container can write to: its bytes are part of this program
// and go into a sealed memfd (CVE-2019-5736 and its kin overwrite the runtime's binary through
// /proc/PID/exe).
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace onggi {

// For execveat(2) with AT_EMPTY_PATH. Where memfds cannot be executed (sysctl vm.memfd_noexec=2)
// the installed onggi-init is taken, through a detached read-only mount; if there is none, that is
// an error.
Result<UniqueFd> open_sealed_init();

// `bytes` in a memfd that nobody can change any more.
Result<UniqueFd> make_sealed_memfd(const char* name, std::string_view bytes, bool executable);

}  // namespace onggi
