// SPDX-License-Identifier: Apache-2.0
// Rules of config-linux.md but for resources and seccomp.
#include "base/path.h"
#include "spec/checks.h"
#include "spec/names.h"
#include "spec/number_list.h"
#include "spec/sysctl.h"

#include <linux/if.h>
#include <linux/mempolicy.h>

#include <tuple>

namespace onggi::spec {

Result<> check_namespaces(const Spec& spec) {
  uint32_t seen = 0;
  for (size_t i = 0; i < spec.linux.namespaces.size(); ++i) {
    const Namespace& entry = spec.linux.namespaces[i];
    const uint32_t bit = uint32_t{1} << static_cast<unsigned>(entry.type);
    if ((seen & bit) != 0) {
      return broken(place("linux.namespaces[", i, "]"), "\"", namespace_name(entry.type),
                    "\" is listed twice");
    }
    seen |= bit;
    if (!entry.path.empty() && !is_absolute(entry.path)) {
      return broken(place("linux.namespaces[", i, "].path"), "must be an absolute path");
    }
  }
  return {};
}

// Engines do send mappings together with the path of a user namespace. Whether they equal those of
// the namespace is for whoever opens it.
Result<> check_user_namespace(const Spec& spec) {
  const Linux& linux = spec.linux;
  const Namespace* user = find_namespace(spec, NamespaceType::user);
  const std::pair<Text, const std::vector<IdMapping>*> lists[] = {
      {"linux.uidMappings", &linux.uid_mappings}, {"linux.gidMappings", &linux.gid_mappings}};
  for (const auto& [field, mappings] : lists) {
    if (!mappings->empty() && user == nullptr) {
      return broken(field, "requires a user namespace in linux.namespaces");
    }
    if (mappings->empty() && user != nullptr && user->path.empty()) {
      return broken(field, "is required for a new user namespace");
    }
    TRY(check_id_mappings(*mappings, field));
  }
  return {};
}

Result<> check_time_offsets(const Spec& spec) {
  if (!spec.linux.monotonic && !spec.linux.boottime) return {};
  const Namespace* time = find_namespace(spec, NamespaceType::time);
  if (time == nullptr)
    return broken("linux.timeOffsets", "requires a time namespace in linux.namespaces");
  if (!time->path.empty()) {
    return broken("linux.timeOffsets",
                  "the offsets of an existing time namespace cannot be changed");
  }
  return {};
}

// makedev(3): Linux has 12 bits of major and 20 of minor number.
static Result<> check_device_numbers(const Device& device, const Place& at) {
  if (device.type == 'p') return {};
  if (device.major < 0 || device.major > 0xfff) {
    return broken(place(at.view(), ".major"), "must be an integer from 0 to 4095");
  }
  if (device.minor < 0 || device.minor > 0xfffff) {
    return broken(place(at.view(), ".minor"), "must be an integer from 0 to 1048575");
  }
  return {};
}

// The same node twice is what "all devices" and "this device" of an engine add up to. Two nodes at
// one path are an error.
static Result<> check_device_paths(const std::vector<Device>& devices) {
  std::vector<size_t> order(devices.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(devices[i].path, i); });
  const auto node = [](const Device& device) {
    const bool pipe = device.type == 'p', character = device.type == 'c' || device.type == 'u';
    return std::tuple(pipe, character, pipe ? 0 : device.major, pipe ? 0 : device.minor);
  };
  for (size_t i = 1; i < order.size(); ++i) {
    const Device &first = devices[order[i - 1]], &second = devices[order[i]];
    if (first.path == second.path && node(first) != node(second)) {
      return broken(place("linux.devices[", order[i], "].path"), "linux.devices[", order[i - 1],
                    "] is a different device with the path ", second.path);
    }
  }
  return {};
}

Result<> check_devices(const Spec& spec) {
  for (size_t i = 0; i < spec.linux.devices.size(); ++i) {
    const Device& device = spec.linux.devices[i];
    const Place at = place("linux.devices[", i, "]");
    if (!is_absolute(device.path)) {
      return broken(place(at.view(), ".path"), "must be an absolute path");
    }
    if (clean_path(device.path) == "/")
      return broken(place(at.view(), ".path"), "must name a file");
    TRY(check_device_numbers(device, at));
  }
  return check_device_paths(spec.linux.devices);
}

// dev_valid_name() of the kernel. A percent sign is left to it: "eth%d" asks for the next free
// number.
static bool is_interface_name(Text name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r") == Text::npos;
}

Result<> check_net_devices(const Spec& spec) {
  if (spec.linux.net_devices.empty()) return {};
  if (find_namespace(spec, NamespaceType::network) == nullptr) {
    return broken("linux.netDevices", "requires a network namespace in linux.namespaces");
  }
  TextList names;
  for (const NetDevice& device : spec.linux.net_devices) {
    const Place at = place("linux.netDevices.", device.host_name);
    if (!is_interface_name(device.host_name)) {
      return broken("linux.netDevices", "\"", device.host_name, "\" is not a valid interface name");
    }
    if (!device.name.empty() && !is_interface_name(device.name)) {
      return broken(place(at.view(), ".name"), "\"", device.name,
                    "\" is not a valid interface name");
    }
    const Text name = device.name.empty() ? device.host_name : device.name;
    names.push_back(name.find('%') == Text::npos ? name : device.host_name);
  }
  if (const auto twice = find_repetition(names)) {
    return broken(place("linux.netDevices.", spec.linux.net_devices[*twice].host_name),
                  "another interface would also be named ", names[*twice], "");
  }
  return {};
}

Result<> check_sysctls(const Spec& spec) {
  for (const auto& [key, value] : spec.linux.sysctl) {
    const Place at = place("linux.sysctl[\"", key, "\"]");
    const std::string path = sysctl_path(key);
    if (path.empty()) return broken(at, "is not a valid sysctl name");
    if (path == "kernel/hostname") {
      return with_hint(broken(at, "must be set with the field hostname"), "see config.md#hostname");
    }
    if (path == "kernel/domainname" && !spec.domainname.empty() && spec.domainname != value) {
      return broken(at, "contradicts the field domainname");
    }
    const auto type = sysctl_namespace(path);
    if (!type) return broken(at, "is not in a separate kernel namespace");
    if (find_namespace(spec, *type) == nullptr) {
      return broken(at, "is not in a separate kernel namespace: linux.namespaces has no ",
                    namespace_name(*type), " namespace");
    }
  }
  return {};
}

Result<> check_hidden_paths(const Spec& spec) {
  TRY(check_absolute_paths(spec.linux.masked_paths, "linux.maskedPaths"));
  return check_absolute_paths(spec.linux.readonly_paths, "linux.readonlyPaths");
}

// The name becomes a directory of the resctrl filesystem; "/" is its root, the default class.
Result<> check_intel_rdt(const Spec& spec) {
  if (!spec.linux.intel_rdt) return {};
  const IntelRdt& rdt = *spec.linux.intel_rdt;
  const bool root = rdt.clos_id == "/";
  if (!root && (rdt.clos_id == "." || rdt.clos_id == ".." ||
                rdt.clos_id.find_first_of("/\n") != Text::npos)) {
    return broken("linux.intelRdt.closID", "\"", rdt.clos_id, "\" is not a valid class of service");
  }
  if (rdt.mem_bw_schema.find('\n') != Text::npos ||
      !(rdt.mem_bw_schema.empty() || rdt.mem_bw_schema.starts_with("MB:"))) {
    return broken("linux.intelRdt.memBwSchema", "must be one line that begins with \"MB:\"");
  }
  for (size_t i = 0; i < rdt.schemata.size(); ++i) {
    if (rdt.schemata[i].find('\n') != Text::npos) {
      return broken(place("linux.intelRdt.schemata[", i, "]"), "must be one line");
    }
  }
  return {};
}

// set_mempolicy(2).
Result<> check_memory_policy(const Spec& spec) {
  if (!spec.linux.memory_policy) return {};
  const MemoryPolicy& policy = *spec.linux.memory_policy;
  const Place nodes = "linux.memoryPolicy.nodes", flags = "linux.memoryPolicy.flags";
  const bool without_nodes = policy.mode == MPOL_DEFAULT || policy.mode == MPOL_LOCAL;
  const uint32_t node_flags = policy.flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);
  if (without_nodes && !policy.nodes.empty()) return broken(nodes, "must be empty for this mode");
  if (without_nodes && policy.flags != 0) return broken(flags, "must be empty for this mode");
  if (policy.nodes.empty() && !without_nodes && policy.mode != MPOL_PREFERRED) {
    return broken(nodes, "is required for this mode");
  }
  if (!policy.nodes.empty() && !parse_number_list(policy.nodes)) {
    return broken(nodes, "\"", policy.nodes, "\" is not a valid list of nodes");
  }
  if (node_flags == (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)) {
    return broken(flags, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES cannot be combined");
  }
  if (node_flags != 0 && policy.nodes.empty()) {
    return broken(flags, "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES require nodes");
  }
  if ((policy.flags & MPOL_F_NUMA_BALANCING) != 0 && policy.mode != MPOL_BIND &&
      policy.mode != MPOL_PREFERRED_MANY) {
    return broken(flags, "MPOL_F_NUMA_BALANCING requires MPOL_BIND or MPOL_PREFERRED_MANY");
  }
  return {};
}

}  // namespace onggi::spec
