// SPDX-License-Identifier: Apache-2.0
// What cannot be done, by this version or on this host: `create` refuses it by name; `onggi plan`
// lists it and shows the rest.
#include "plan/build_parts.h"

namespace onggi::plan {

void collect_refused(BuildContext& context) {
  refuse_to_ordinary_user(context);
  refuse_unmapped_ids(context);
  const HostFacts& facts = context.facts;
  if (context.plan.cgroup.driver == CgroupDriver::systemd) {
    context.plan.refused.push_back(
        unsupported("linux.cgroupsPath", "--systemd-cgroup is not supported yet"));
  }
  if (!context.spec.process) return;
  if (!context.spec.process->apparmor_profile.empty() && !facts.apparmor) {
    context.plan.refused.push_back(
        unsupported("process.apparmorProfile", "AppArmor is not enabled on this host"));
  }
  if (!context.spec.process->selinux_label.empty() && !facts.selinux) {
    context.plan.refused.push_back(
        unsupported("process.selinuxLabel", "SELinux is not enabled on this host"));
  }
}

}  // namespace onggi::plan
