// SPDX-License-Identifier: Apache-2.0
// What cannot be done, by this version or on this host: `create` refuses it by name; `onggi plan`
// lists it and shows the rest.
#include "plan/build_parts.h"

namespace onggi::plan {
namespace {

constexpr std::string_view kRemoveLabel = "remove it, or enable it in the kernel";

void collect_systemd(BuildContext& context) {
  constexpr std::string_view kHint =
      "use --cgroup-manager cgroupfs, which does not require systemd";
  switch (context.facts.systemd) {
    case SystemdAccess::ready:
      break;
    case SystemdAccess::not_built:
      context.plan.refused.push_back(with_hint(
          unsupported("", "--systemd-cgroup: this onggi was built without libsystemd"), kHint));
      break;
    case SystemdAccess::no_bus:
      context.plan.refused.push_back(
          with_hint(unsupported("", "--systemd-cgroup: cannot find systemd: neither ",
                                context.plan.cgroup.unit->user
                                    ? "$DBUS_SESSION_BUS_ADDRESS nor a socket in $XDG_RUNTIME_DIR"
                                    : "/run/systemd/private nor /run/dbus/system_bus_socket"),
                    kHint));
      break;
  }
}

}  // namespace

void collect_refused(BuildContext& context) {
  refuse_to_ordinary_user(context);
  refuse_unmapped_ids(context);
  if (context.plan.cgroup.driver == CgroupDriver::systemd) collect_systemd(context);
  refuse_labels(context);
}

void refuse_labels(BuildContext& context) {
  const HostFacts& facts = context.facts;
  if (!context.spec.linux.mount_label.empty() && !facts.selinux) {
    context.plan.refused.push_back(with_hint(
        unsupported("linux.mountLabel", "SELinux is not enabled on this host"), kRemoveLabel));
  }
  if (!context.spec.process) return;
  if (!context.spec.process->apparmor_profile.empty() && !facts.apparmor) {
    context.plan.refused.push_back(
        with_hint(unsupported("process.apparmorProfile", "AppArmor is not enabled on this host"),
                  kRemoveLabel));
  }
  if (!context.spec.process->selinux_label.empty() && !facts.selinux) {
    context.plan.refused.push_back(with_hint(
        unsupported("process.selinuxLabel", "SELinux is not enabled on this host"), kRemoveLabel));
  }
}

}  // namespace onggi::plan
