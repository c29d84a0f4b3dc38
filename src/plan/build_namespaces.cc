// SPDX-License-Identifier: Apache-2.0
// Which namespaces are made, which are joined, who does it, and what is set in them first.
#include "plan/build_parts.h"
#include "spec/sysctl.h"

#include <linux/sched.h>

#include <utility>

namespace onggi::plan {
namespace {

constexpr uint64_t kCloneFlag[spec::kNamespaceTypes] = {
    CLONE_NEWNS,  CLONE_NEWPID,  CLONE_NEWNET,    CLONE_NEWUTS,
    CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWCGROUP, CLONE_NEWTIME};
static_assert(BuildContext::kNewUser == CLONE_NEWUSER);

// The first of the config's fields that changes a namespace of this type; empty if none does.
std::string setting_in(spec::NamespaceType type, const spec::Spec& spec) {
  const bool names = type == spec::NamespaceType::uts;
  if (names && !spec.hostname.empty()) return "hostname";
  if (names && !spec.domainname.empty()) return "domainname";
  const bool interfaces = type == spec::NamespaceType::network;
  if (interfaces && !spec.linux.net_devices.empty()) return "linux.netDevices";
  for (const auto& [key, value] : spec.linux.sysctl) {
    if (spec::sysctl_namespace(spec::sysctl_path(key)) != type) continue;
    return "linux.sysctl[\"" + std::string(key) + "\"]";
  }
  return "";
}

std::string time_offsets(const spec::Linux& linux) {
  std::string lines;
  const auto add = [&lines](const char* clock, const std::optional<spec::TimeOffset>& offset) {
    if (!offset) return;
    lines += clock;
    lines += " " + std::to_string(offset->secs) + " " + std::to_string(offset->nanosecs) + "\n";
  };
  add("monotonic", linux.monotonic);
  add("boottime", linux.boottime);
  return lines;
}

// pid and time namespaces take effect for children only; a namespace of the host cannot be joined
// any more from inside a new user namespace; and what is new has to belong to a joined user
// namespace.
bool needs_bridge(const BuildContext& context) {
  const NamespacePlan& namespaces = context.plan.namespaces;
  return context.creates(CLONE_NEWTIME) || context.joins(spec::NamespaceType::pid) ||
         context.joins(spec::NamespaceType::time) || context.joins(spec::NamespaceType::user) ||
         (context.creates(CLONE_NEWUSER) && !namespaces.joined.empty());
}

void add_settings(BuildContext& context) {
  const spec::Spec& spec = context.spec;
  std::vector<Step>& steps = context.plan.before_pivot;
  Pool& pool = context.plan.pool;
  if (context.creates(CLONE_NEWNET)) steps.push_back({{"linux.namespaces"}, BringUpLoopback{}});
  // Before the sysctls, some of which are those of an interface.
  build_net_devices(context);
  if (!spec.hostname.empty())
    steps.push_back({{"hostname"}, SetHostname{pool.text(spec.hostname)}});
  if (!spec.domainname.empty())
    steps.push_back({{"domainname"}, SetDomainname{pool.text(spec.domainname)}});
  for (const auto& [key, value] : spec.linux.sysctl) {
    steps.push_back({{"linux.sysctl"},
                     WriteProc{pool.text("sys/" + spec::sysctl_path(key)), pool.text(value)}});
  }
}

}  // namespace

Result<> build_namespaces(BuildContext& context) {
  const spec::Linux& linux = context.spec.linux;
  NamespacePlan& namespaces = context.plan.namespaces;
  for (size_t i = 0; i < linux.namespaces.size(); i++) {
    const spec::Namespace& entry = linux.namespaces[i];
    if (entry.path.empty()) {
      namespaces.create |= kCloneFlag[static_cast<size_t>(entry.type)];
    } else {
      namespaces.joined.push_back({entry.type, std::string(entry.path),
                                   "linux.namespaces[" + std::to_string(i) + "].path",
                                   setting_in(entry.type, context.spec)});
    }
  }
  if (context.creates(CLONE_NEWTIME)) namespaces.time_offsets = time_offsets(linux);
  namespaces.bridge = needs_bridge(context);

  std::vector<Step>& steps = context.plan.before_pivot;
  for (uint32_t slot = 0; !namespaces.bridge && slot < namespaces.joined.size(); slot++) {
    const auto type =
        static_cast<int32_t>(kCloneFlag[static_cast<size_t>(namespaces.joined[slot].type)]);
    steps.push_back({{"linux.namespaces"}, JoinNamespace{slot, type}});
  }
  add_settings(context);
  return {};
}

void build_cgroup_namespace(BuildContext& context) {
  if (std::exchange(context.in_cgroup, true)) return;
  std::vector<Step>& steps = context.plan.before_pivot;
  if (context.plan.cgroup.driver == CgroupDriver::systemd)
    steps.push_back({{"linux.cgroupsPath"}, AwaitCgroup{}});
  if (context.creates(CLONE_NEWCGROUP))
    steps.push_back({{"linux.namespaces"}, UnshareNamespaces{CLONE_NEWCGROUP}});
}

}  // namespace onggi::plan
