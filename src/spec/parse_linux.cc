// SPDX-License-Identifier: Apache-2.0
// config-linux.md but for resources and seccomp.
#include "spec/reader.h"

#include <algorithm>

namespace onggi::spec {

static Result<> read_namespace_type(const Cursor& at, Namespace& to) {
  to.type = TRY(read_name(at, kNamespaceNames, "namespace"));
  return {};
}

static Result<> read(const Cursor& at, Namespace& to) {
  static constexpr Field<Namespace> kFields[] = {
      {"type", read_namespace_type, kRequired},
      {"path", into<&Namespace::path>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_nanoseconds(const Cursor& at, TimeOffset& to) {
  to.nanosecs = static_cast<uint32_t>(TRY(read_unsigned(at, 0, 999'999'999)));
  return {};
}

static Result<> read(const Cursor& at, TimeOffset& to) {
  static constexpr Field<TimeOffset> kFields[] = {
      {"secs", into<&TimeOffset::secs>},
      {"nanosecs", read_nanoseconds},
  };
  return read_object(at, kFields, to);
}

// The keys are names of clocks: one that is not known asks for what would not be done.
static Result<> read_time_offsets(const Cursor& at, Linux& to) {
  static constexpr Field<Linux> kFields[] = {
      {"monotonic", into<&Linux::monotonic>},
      {"boottime", into<&Linux::boottime>},
  };
  TRY(read_object(at, kFields, to));
  for (const auto& member : at.json().GetObject()) {
    const Text clock = text_of(member.name);
    const auto known = [&](const Field<Linux>& field) { return field.key == clock; };
    if (std::ranges::none_of(kFields, known)) return at.error("unknown clock \"", clock, "\"");
  }
  return {};
}

static Result<> read_device_type(const Cursor& at, Device& to) {
  Text type;
  TRY(read(at, type));
  if (type != "c" && type != "b" && type != "u" && type != "p") {
    return at.error("unknown device type \"", type, "\"");
  }
  to.type = type[0];
  return {};
}

// Some engines copy st_mode with its file type, which `type` says already.
static Result<> read_file_mode(const Cursor& at, Device& to) {
  constexpr uint32_t kModeWithType = 0177777, kMode = 07777;
  to.file_mode = static_cast<uint32_t>(TRY(read_unsigned(at, 0, kModeWithType))) & kMode;
  return {};
}

static Result<> read(const Cursor& at, Device& to) {
  static constexpr Field<Device> kFields[] = {
      {"type", read_device_type, kRequired}, {"path", into<&Device::path>, kRequired},
      {"major", into<&Device::major>},       {"minor", into<&Device::minor>},
      {"fileMode", read_file_mode},          {"uid", into<&Device::uid>},
      {"gid", into<&Device::gid>},
  };
  TRY(read_object(at, kFields, to));
  if (to.type == 'p') return {};
  for (const Text key : {Text("major"), Text("minor")}) {
    const auto member = at.json().FindMember(key.data());
    if (member == at.json().MemberEnd() || member->value.IsNull()) {
      return at.error_below(key, "is required for a device of type \"", to.type, "\"");
    }
  }
  return {};
}

// An object whose keys are the names on the host.
static Result<> read_net_devices(const Cursor& at, Linux& to) {
  static constexpr Field<NetDevice> kFields[] = {{"name", into<&NetDevice::name>}};
  if (!at.json().IsObject()) return at.error("must be an object");
  for (const auto& member : at.json().GetObject()) {
    NetDevice& device = to.net_devices.emplace_back();
    device.host_name = text_of(member.name);
    TRY(read_object(Cursor(at, device.host_name, member.value), kFields, device));
  }
  return {};
}

static Result<> read_rootfs_propagation(const Cursor& at, Linux& to) {
  to.rootfs_propagation = TRY(read_name(at, kPropagationNames, "propagation"));
  return {};
}

static Result<> read(const Cursor& at, IntelRdt& to) {
  static constexpr Field<IntelRdt> kFields[] = {
      {"closID", into<&IntelRdt::clos_id>},
      {"schemata", into<&IntelRdt::schemata>},
      {"l3CacheSchema", into<&IntelRdt::l3_cache_schema>},
      {"memBwSchema", into<&IntelRdt::mem_bw_schema>},
      {"enableMonitoring", into<&IntelRdt::enable_monitoring>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_memory_policy_mode(const Cursor& at, MemoryPolicy& to) {
  to.mode = TRY(read_name(at, kMemoryPolicyModeNames, "memory policy"));
  return {};
}

static Result<> read_memory_policy_flags(const Cursor& at, MemoryPolicy& to) {
  to.flags = TRY(read_flags(at, kMemoryPolicyFlagNames, "memory policy flag"));
  return {};
}

static Result<> read(const Cursor& at, MemoryPolicy& to) {
  static constexpr Field<MemoryPolicy> kFields[] = {
      {"mode", read_memory_policy_mode, kRequired},
      {"flags", read_memory_policy_flags},
      {"nodes", into<&MemoryPolicy::nodes>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_personality_domain(const Cursor& at, Linux& to) {
  to.personality = TRY(read_name(at, kPersonalityNames, "personality"));
  return {};
}

// The specification has the list, but no flag to put into it.
static Result<> read_personality_flags(const Cursor& at, Linux&) {
  TextList flags;
  TRY(read(at, flags));
  if (!flags.empty()) return at.error("unknown personality flag \"", flags[0], "\"");
  return {};
}

static Result<> read_personality(const Cursor& at, Linux& to) {
  static constexpr Field<Linux> kFields[] = {
      {"domain", read_personality_domain, kRequired},
      {"flags", read_personality_flags},
  };
  return read_object(at, kFields, to);
}

Result<> read(const Cursor& at, Linux& to) {
  static constexpr Field<Linux> kFields[] = {
      {"namespaces", into<&Linux::namespaces>},
      {"uidMappings", into<&Linux::uid_mappings>},
      {"gidMappings", into<&Linux::gid_mappings>},
      {"timeOffsets", read_time_offsets},
      {"devices", into<&Linux::devices>},
      {"netDevices", read_net_devices},
      {"cgroupsPath", into<&Linux::cgroups_path>},
      {"resources", into<&Linux::resources>},
      {"rootfsPropagation", read_rootfs_propagation},
      {"seccomp", into<&Linux::seccomp>},
      {"sysctl", into<&Linux::sysctl>},
      {"maskedPaths", into<&Linux::masked_paths>},
      {"readonlyPaths", into<&Linux::readonly_paths>},
      {"mountLabel", into<&Linux::mount_label>},
      {"intelRdt", into<&Linux::intel_rdt>},
      {"memoryPolicy", into<&Linux::memory_policy>},
      {"personality", read_personality},
  };
  return read_object(at, kFields, to);
}

}  // namespace onggi::spec
