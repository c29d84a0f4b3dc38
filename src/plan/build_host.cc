// SPDX-License-Identifier: Apache-2.0
// What the runtime does to the host for a container, beside its cgroup: interfaces that move into
// its network namespace, and its group in resctrl.
#include "plan/build_parts.h"
#include "plan/build_resctrl.h"

#include <algorithm>

namespace onggi::plan {
namespace {

// Directories that resctrl has of its own (Documentation/arch/x86/resctrl.rst).
constexpr std::string_view kReservedNames[] = {"info", "mon_groups", "mon_data"};

void add_schema(ResctrlPlan& resctrl, std::string place, std::string_view text) {
  if (!text.empty()) resctrl.schemata.push_back({std::move(place), std::string(text)});
}

// config-linux.md#intelrdt: the values of the older fields first, those of `schemata` last.
void add_schemata(ResctrlPlan& resctrl, const spec::IntelRdt& wanted) {
  add_schema(resctrl, "linux.intelRdt.l3CacheSchema", wanted.l3_cache_schema);
  add_schema(resctrl, "linux.intelRdt.memBwSchema", wanted.mem_bw_schema);
  for (size_t i = 0; i < wanted.schemata.size(); i++) {
    add_schema(resctrl, "linux.intelRdt.schemata[" + std::to_string(i) + "]", wanted.schemata[i]);
  }
}

Error without_resctrl(std::string_view place, const HostFacts& facts) {
  const bool known = facts.resctrl_known;
  return with_hint(
      unsupported(place, known ? "no resctrl filesystem is mounted"
                               : "this host has no resctrl filesystem"),
      known ? "mount it: mount -t resctrl resctrl /sys/fs/resctrl"
            : "resctrl requires a CPU with Intel RDT or AMD QoS, and CONFIG_X86_CPU_RESCTRL");
}

// Without closID it is a class of the container's own.
std::string group_of(const spec::IntelRdt& wanted, std::string_view id) {
  if (wanted.clos_id == "/") return "";
  return std::string(wanted.clos_id.empty() ? id : std::string_view(wanted.clos_id));
}

}  // namespace

void build_net_devices(BuildContext& context) {
  std::vector<NetDevice>& devices = context.plan.net_devices;
  for (const spec::NetDevice& device : context.spec.linux.net_devices) {
    const spec::Text name = device.name.empty() ? device.host_name : device.name;
    devices.push_back({.host_name = std::string(device.host_name),
                       .name = std::string(name),
                       .place = "linux.netDevices." + std::string(device.host_name)});
  }
  // Numbers that the kernel chooses must not be those that another interface is to have.
  std::stable_partition(devices.begin(), devices.end(),
                        [](const NetDevice& device) { return !device.is_template(); });
  if (!devices.empty())
    context.plan.before_pivot.push_back({{"linux.netDevices"}, AwaitNetDevices{}});
}

Result<> build_intel_rdt(BuildContext& context) {
  if (!context.spec.linux.intel_rdt) return {};
  const spec::IntelRdt& wanted = *context.spec.linux.intel_rdt;
  ResctrlPlan resctrl;
  resctrl.mount_point = context.facts.resctrl;
  const bool named = !wanted.clos_id.empty();
  resctrl.group = group_of(wanted, context.options.id);
  if (std::ranges::find(kReservedNames, resctrl.group) != std::end(kReservedNames)) {
    return config_error("linux.intelRdt.closID", "\"", resctrl.group, "\" is reserved by resctrl");
  }
  add_schemata(resctrl, wanted);
  resctrl.create = !named || !resctrl.schemata.empty();
  resctrl.remove = !named;
  if (wanted.enable_monitoring) resctrl.monitor = context.options.id;
  if (std::ranges::find(kReservedNames, resctrl.monitor) != std::end(kReservedNames)) {
    return config_error("linux.intelRdt.enableMonitoring", "\"", resctrl.monitor,
                        "\", the container id, is reserved by resctrl");
  }
  if (resctrl.mount_point.empty())
    context.plan.refused.push_back(without_resctrl("linux.intelRdt", context.facts));
  context.plan.resctrl = std::move(resctrl);
  return {};
}

Result<ResctrlPlan> build_resctrl_update(const spec::IntelRdt& change,
                                         const std::optional<spec::IntelRdt>& configured,
                                         std::string_view id, const HostFacts& facts) {
  constexpr std::string_view kCache = "--l3-cache-schema", kBandwidth = "--mem-bw-schema";
  const bool cache = !change.l3_cache_schema.empty();
  const std::string_view place = cache ? kCache : kBandwidth;
  if (facts.resctrl.empty()) return without_resctrl(place, facts);
  if (!configured) {
    return with_hint(config_error(place, "the container has no class of service"),
                     "create the container with linux.intelRdt in its config.json");
  }
  const std::string_view bandwidth = change.mem_bw_schema;
  if (!bandwidth.empty() &&
      (!bandwidth.starts_with("MB:") || bandwidth.find('\n') != std::string_view::npos)) {
    return config_error(kBandwidth, "must be one line that begins with \"MB:\"");
  }
  ResctrlPlan resctrl;
  resctrl.mount_point = facts.resctrl;
  resctrl.group = group_of(*configured, id);
  // In one write, of which the kernel takes all or nothing.
  std::string text(change.l3_cache_schema);
  if (cache && !bandwidth.empty()) text += '\n';
  text += bandwidth;
  resctrl.schemata.push_back({std::string(place), std::move(text)});
  return resctrl;
}

}  // namespace onggi::plan
