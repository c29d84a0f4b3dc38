// SPDX-License-Identifier: Apache-2.0
// From `start` to the container's program, in the order that each right is needed for the last
// time.
#include "base/streams.h"
#include "base/text.h"
#include "linux/init/context.h"
#include "linux/init/program.h"

#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace onggi {
namespace {

// A container's keys are not the caller's. Without key support there is nothing to separate.
Result<> join_session_keyring(const InitContext& context) {
  const plan::Text name = context.plan.handoff.keyring;
  if (!name) return {};
  const long keyring = sys::call(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, context.pool(name));
  if (keyring == -ENOSYS || keyring == -EDQUOT) return {};
  if (keyring < 0) return system_error(keyring, "keyctl", context.pool(name));
  // Possessor: everything; user: view, read and search, or the program's own user could not look
  // anything up in it.
  constexpr unsigned long kPermissions = 0x3f0b0000;
  const long permitted = sys::call(SYS_keyctl, KEYCTL_SETPERM, keyring, kPermissions);
  if (permitted < 0 && permitted != -EACCES)
    return system_error(permitted, "keyctl", context.pool(name));
  return {};
}

constexpr uint32_t kListener = SECCOMP_FILTER_FLAG_NEW_LISTENER;

Result<> load_seccomp(const UniqueFd& program, uint32_t flags) {
  struct statx info = {};
  const long result = sys::statx(program.get(), "", AT_EMPTY_PATH, STATX_SIZE, &info);
  if (result < 0) return system_error(result, "statx", "the seccomp program");
  const long memory = sys::mmap(info.stx_size, PROT_READ, MAP_PRIVATE, program.get());
  if (memory < 0 && memory > -4096) return system_error(memory, "mmap", "the seccomp program");
  const sock_fprog filter{static_cast<unsigned short>(info.stx_size / sizeof(sock_filter)),
                          reinterpret_cast<sock_filter*>(memory)};
  const long loaded = sys::call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  if (loaded < 0) return at_place(system_error(loaded, "seccomp"), "linux.seccomp");
  if ((flags & kListener) != 0) hand_over(static_cast<int>(loaded));
  return {};
}

Result<> prepare_program(InitContext& context, const UniqueFd& seccomp) {
  const plan::Handoff& handoff = context.plan.handoff;
  const bool listener = (handoff.seccomp_flags & kListener) != 0;
  if (listener) TRY(start_courier(context));
  own_standard_streams(handoff.uid, handoff.terminal);
  TRY(write_labels(context));
  TRY(join_session_keyring(context));
  (void)sys::umask(handoff.umask);
  // Also what a caller may have leaked to us: nothing of the host may be reached from here on
  // (CVE-2024-21626).
  const long closing = sys::close_range(context.plan.fds.first_private, ~0U, CLOSE_RANGE_CLOEXEC);
  if (closing < 0) return system_error(closing, "close_range");
  if (!listener) TRY(set_scheduler(handoff.scheduler, 0));
  TRY(set_scheduling(context));
  if (handoff.personality >= 0) {
    const long changed = sys::call(SYS_personality, handoff.personality);
    if (changed < 0) return at_place(system_error(changed, "personality"), "linux.personality");
  }
  // Without no_new_privs a filter needs CAP_SYS_ADMIN, so it comes before the capabilities go; with
  // it, it comes last and need not allow what happens in between.
  if (seccomp && !handoff.no_new_privileges) TRY(load_seccomp(seccomp, handoff.seccomp_flags));
  TRY(set_credentials(context));
  TRY(enter_cwd_again(context));
  if (!handoff.no_new_privileges) return {};
  const long set = sys::prctl(PR_SET_NO_NEW_PRIVS, 1);
  if (set < 0)
    return at_place(system_error(set, "prctl PR_SET_NO_NEW_PRIVS"), "process.noNewPrivileges");
  if (seccomp) TRY(load_seccomp(seccomp, handoff.seccomp_flags));
  return {};
}

}  // namespace

Result<> run_program(InitContext& context, UniqueFd seccomp) {
  if (!context.plan.handoff.has_program)
    return config_error("process", "is not set: there is no program to start");
  TRY(run_hooks(context.plan.handoff.start_hooks, context));
  TRY(prepare_program(context, seccomp));
  return execute(context);
}

}  // namespace onggi
