// SPDX-License-Identifier: Apache-2.0
// Limits, ids and the five capability sets (capabilities(7)) of the container's program.
// What an execve will do to a process with these ids and these sets does not depend on what is
// permitted or effective besides (capabilities(7), "Transformation of capabilities during
// execve()"), so a right may be kept up to it.
#include "base/text.h"
#include "linux/init/context.h"

#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

namespace onggi {
namespace {

constexpr int kCapabilities = 64;

Result<> drop_bounding_set(const plan::Handoff& handoff) {
  for (unsigned capability = 0; capability < kCapabilities; capability++) {
    if ((handoff.capabilities.bounding >> capability & 1) != 0) continue;
    const long dropped = sys::prctl(PR_CAPBSET_DROP, capability);
    if (dropped == -EINVAL) break;  // past the last one that this kernel knows
    if (dropped < 0)
      return at_place(system_error(dropped, "prctl PR_CAPBSET_DROP"),
                      "process.capabilities.bounding");
  }
  return {};
}

Result<> set_ids(const InitContext& context) {
  const plan::Handoff& handoff = context.plan.handoff;
  if (handoff.set_groups) {
    const auto groups = context.pool(handoff.additional_gids);
    const long set = sys::setgroups(groups.size(), groups.data());
    if (set < 0) return at_place(system_error(set, "setgroups"), "process.user.additionalGids");
  }
  const long gid = sys::setresgid(handoff.gid);
  if (gid < 0)
    return at_place(system_error(gid, "setresgid", text<16>(handoff.gid).view()),
                    "process.user.gid");
  const long uid = sys::setresuid(handoff.uid);
  if (uid < 0)
    return at_place(system_error(uid, "setresuid", text<16>(handoff.uid).view()),
                    "process.user.uid");
  return {};
}

}  // namespace

Result<> set_limits(const InitContext& context) {
  for (const plan::Limit& limit : context.pool(context.plan.handoff.limits)) {
    const uint64_t pair[2] = {limit.soft, limit.hard};
    const long result = sys::prlimit64(0, static_cast<int>(limit.resource), pair, nullptr);
    if (result == 0) continue;
    return at_place(system_error(result, "prlimit"),
                    text<64>("process.rlimits[", limit.place_index, "]").view());
  }
  return {};
}

Result<> set_capabilities(const plan::CapabilityMasks& masks) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2];
  for (unsigned half = 0; half < 2; half++) {
    const auto part = [half](uint64_t mask) { return static_cast<uint32_t>(mask >> (32 * half)); };
    data[half] = {part(masks.effective), part(masks.permitted), part(masks.inheritable)};
  }
  const long set = sys::call(SYS_capset, &header, &data[0]);
  if (set < 0) return at_place(system_error(set, "capset"), "process.capabilities");
  (void)sys::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL);
  for (unsigned capability = 0; capability < kCapabilities; capability++) {
    if ((masks.ambient >> capability & 1) == 0) continue;
    const long raised = sys::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability);
    // The kernel refuses what is not both permitted and inheritable: such a set cannot be granted,
    // which the specification wants to be no error (config.md#linux-process).
    if (raised < 0 && raised != -EPERM) {
      return at_place(system_error(raised, "prctl PR_CAP_AMBIENT_RAISE"),
                      "process.capabilities.ambient");
    }
  }
  return {};
}

Result<> set_credentials(const InitContext& context, uint64_t kept) {
  const plan::Handoff& handoff = context.plan.handoff;
  TRY(drop_bounding_set(handoff));
  // Keeps the permitted set over the change of user, until capset below; execve clears it.
  const long keeps = sys::prctl(PR_SET_KEEPCAPS, 1);
  if (keeps < 0) return system_error(keeps, "prctl PR_SET_KEEPCAPS");
  TRY(set_ids(context));
  plan::CapabilityMasks masks = handoff.capabilities;
  masks.effective |= kept;
  masks.permitted |= kept;
  TRY(set_capabilities(masks));
  // A change of user sets it to fs.suid_dumpable (prctl(2)).
  const long hidden = sys::prctl(PR_SET_DUMPABLE, 0);
  if (hidden < 0) return system_error(hidden, "prctl PR_SET_DUMPABLE");
  return {};
}

}  // namespace onggi
