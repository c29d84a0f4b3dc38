// SPDX-License-Identifier: Apache-2.0
#include "linux/init/confinement.h"

#include "linux/init/courier.h"

namespace onggi {

bool needs_courier(const Filter& filter, int report) {
  if (!filter) return false;
  return filter.has_listener() || !filter.allows(SYS_sendmsg, {report, 0, MSG_NOSIGNAL}) ||
         !filter.allows(SYS_exit_group, {1});
}

Result<> confine(const Confinement& confinement) {
  const Filter& filter = confinement.filter;
  // With a listener it is set by the courier.
  if (!filter.has_listener()) TRY(set_scheduler(confinement.context.plan.handoff.scheduler, 0));
  if (!filter) return {};
  if (filter.kills(SYS_execve, {})) {
    return with_hint(config_error("linux.seccomp",
                                  "the filter kills a process that calls execve(2), so no program "
                                  "can be started"),
                     "allow execve in linux.seccomp.syscalls");
  }
  const int listener = TRY(filter.load());
  if (filter.has_listener()) hand_over(listener);
  return {};
}

}  // namespace onggi
