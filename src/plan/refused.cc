// SPDX-License-Identifier: Apache-2.0
// What cannot be done: fields that are parsed and checked but not applied yet (a row goes when its
// feature comes), and what this host lacks. `create` refuses it by name; `onggi plan` lists it and
// shows the rest.
#include "plan/build_parts.h"

namespace onggi::plan {
namespace {

struct Row {
  const char* place;
  bool (*used)(const spec::Spec&);
};

template <auto Member>
bool has_in_process(const spec::Spec& spec) {
  return spec.process && ((*spec.process).*Member).has_value();
}
template <auto Member>
bool has_in_linux(const spec::Spec& spec) {
  return (spec.linux.*Member).has_value();
}

constexpr Row kRows[] = {
    {"process.execCPUAffinity", has_in_process<&spec::Process::exec_cpu_affinity>},
    {"linux.intelRdt", has_in_linux<&spec::Linux::intel_rdt>},
    {"linux.netDevices", [](const spec::Spec& spec) { return !spec.linux.net_devices.empty(); }},
};

void refuse(BuildContext& context, std::string_view place) {
  context.plan.refused.push_back(unsupported(place, "not supported yet"));
}

}  // namespace

void collect_refused(BuildContext& context) {
  for (const Row& row : kRows) {
    if (row.used(context.spec)) refuse(context, row.place);
  }
  const HostFacts& facts = context.facts;
  if (context.plan.cgroup.driver == CgroupDriver::systemd) {
    context.plan.refused.push_back(
        unsupported("linux.cgroupsPath", "--systemd-cgroup is not supported yet"));
  }
  if (facts.euid != 0) {
    context.plan.refused.push_back(
        unsupported("", "running as an ordinary user is not supported yet"));
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
