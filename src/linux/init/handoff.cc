// SPDX-License-Identifier: Apache-2.0
// From `start` to the container's program, in the order that each right is needed for the last
// time. The filter is the last of all: no call but the execve has to be allowed by it.
#include "base/streams.h"
#include "base/text.h"
#include "linux/init/confinement.h"
#include "linux/init/courier.h"
#include "linux/init/hooks.h"
#include "linux/init/program.h"
#include "linux/socket_message.h"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/prctl.h>
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

// What hooks of the container inherit too.
Result<> prepare(InitContext& context) {
  const plan::Handoff& handoff = context.plan.handoff;
  own_standard_streams(handoff.uid, handoff.terminal);
  TRY(write_labels(context));
  TRY(join_session_keyring(context));
  (void)sys::umask(handoff.umask);
  // Also what a caller may have leaked to us: nothing of the host may be reached from here on
  // (CVE-2024-21626).
  const long closing = sys::close_range(context.plan.fds.first_private, ~0U, CLOSE_RANGE_CLOEXEC);
  if (closing < 0) return system_error(closing, "close_range");
  TRY(set_scheduling(context));
  if (handoff.personality < 0) return {};
  const long changed = sys::call(SYS_personality, handoff.personality);
  if (changed < 0) return at_place(system_error(changed, "personality"), "linux.personality");
  return {};
}

constexpr uint64_t bit(unsigned capability) {
  return uint64_t{1} << capability;
}

// What confine() needs and the program will not have.
uint64_t late_capabilities(const plan::Handoff& handoff, const Filter& filter) {
  uint64_t needed = 0;
  if (filter && !handoff.no_new_privileges) needed |= bit(CAP_SYS_ADMIN);
  if (handoff.scheduler.policy >= 0) needed |= bit(CAP_SYS_NICE);
  return needed & handoff.grantable & ~handoff.capabilities.effective;
}

Result<> forbid_new_privileges(const plan::Handoff& handoff) {
  if (!handoff.no_new_privileges) return {};
  const long set = sys::prctl(PR_SET_NO_NEW_PRIVS, 1);
  if (set < 0)
    return at_place(system_error(set, "prctl PR_SET_NO_NEW_PRIVS"), "process.noNewPrivileges");
  return {};
}

bool is_early(const Confinement& confinement) {
  const plan::Handoff& handoff = confinement.context.plan.handoff;
  return confinement.kept != 0 && (handoff.capabilities.bounding & bit(CAP_SYS_PTRACE)) != 0;
}

// Hooks, while this process waits for them with the rights of the program, but without its filter,
// which might forbid to wait. A hook that may trace would find in it what is kept for the filter:
// then the filter comes first, and the hooks have to live with what it forbids this process.
Result<> run_start_hooks(const Confinement& confinement, bool early) {
  const InitContext& context = confinement.context;
  const plan::Handoff& handoff = context.plan.handoff;
  if (!early) return run_hooks(handoff.start_hooks, context, &confinement);
  TRY(confine(confinement));
  Result<> done = set_capabilities(handoff.capabilities);
  if (done) done = run_hooks(handoff.start_hooks, context, nullptr);
  if (!done) report_failure(context.channel, done.error());
  return {};
}

// From here on the end of the channel means that the program runs.
Result<> announce_execution(const InitContext& context) {
  Message message;
  message.kind = MessageKind::executing;
  return send_message(context.channel, message);
}

}  // namespace

Result<> run_program(InitContext& context, UniqueFd seccomp) {
  const plan::Handoff& handoff = context.plan.handoff;
  if (!handoff.has_program)
    return config_error("process", "is not set: there is no program to start");
  TRY(prepare(context));
  const Filter filter = TRY(Filter::map(seccomp, handoff.seccomp_flags));
  const Program program = TRY(prepare_program(context));
  const Confinement confinement{context, filter, late_capabilities(handoff, filter)};
  if (needs_courier(filter, context.channel)) {
    TRY(start_courier({.context = &context,
                       .report = context.channel,
                       .listener = filter.has_listener(),
                       .drop = true,
                       .kept = filter.has_listener() ? confinement.kept : 0}));
  }
  TRY(set_limits(context));
  TRY(set_credentials(context, confinement.kept));
  TRY(enter_cwd_again(context));
  TRY(forbid_new_privileges(handoff));
  const bool hooks = handoff.start_hooks.list.count != 0;
  const bool early = hooks && is_early(confinement);
  // A filter may forbid to send anything later.
  if (early) TRY(announce_execution(context));
  if (hooks) TRY(run_start_hooks(confinement, early));
  if (!early) {
    TRY(announce_execution(context));
    TRY(confine(confinement));
  }
  report_failure(context.channel, execute(program, filter));
}

}  // namespace onggi
