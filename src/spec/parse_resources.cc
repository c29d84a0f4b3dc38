// SPDX-License-Identifier: Apache-2.0
// linux.resources: config-linux.md#control-groups.
#include "spec/reader.h"

namespace onggi::spec {

// The type is one letter out of `letters`.
template <class T, char T::*kType>
static Result<> read_letter(const Cursor& at, T& to, Text letters) {
  Text type;
  TRY(read(at, type));
  if (type.size() != 1 || letters.find(type[0]) == Text::npos) {
    return at.error("unknown device type \"", type, "\"");
  }
  to.*kType = type[0];
  return {};
}

static Result<> read_rule_type(const Cursor& at, DeviceRule& to) {
  return read_letter<DeviceRule, &DeviceRule::type>(at, to, "abc");
}

static Result<> read(const Cursor& at, DeviceRule& to) {
  static constexpr Field<DeviceRule> kFields[] = {
      {"allow", into<&DeviceRule::allow>, kRequired},
      {"type", read_rule_type},
      {"major", into<&DeviceRule::major>},
      {"minor", into<&DeviceRule::minor>},
      {"access", into<&DeviceRule::access>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, Memory& to) {
  static constexpr Field<Memory> kFields[] = {
      {"limit", bytes_into<&Memory::limit>},
      {"reservation", bytes_into<&Memory::reservation>},
      {"swap", bytes_into<&Memory::swap>},
      {"kernel", bytes_into<&Memory::kernel>},
      {"kernelTCP", bytes_into<&Memory::kernel_tcp>},
      {"swappiness", into<&Memory::swappiness>},
      {"disableOOMKiller", into<&Memory::disable_oom_killer>},
      {"useHierarchy", into<&Memory::use_hierarchy>},
      {"checkBeforeUpdate", into<&Memory::check_before_update>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, Cpu& to) {
  static constexpr Field<Cpu> kFields[] = {
      {"shares", into<&Cpu::shares>},
      {"quota", into<&Cpu::quota>},
      {"burst", into<&Cpu::burst>},
      {"period", into<&Cpu::period>},
      {"realtimeRuntime", into<&Cpu::realtime_runtime>},
      {"realtimePeriod", into<&Cpu::realtime_period>},
      {"cpus", into<&Cpu::cpus>},
      {"mems", into<&Cpu::mems>},
      {"idle", into<&Cpu::idle>},
  };
  return read_object(at, kFields, to);
}

static Result<> read_pids(const Cursor& at, Resources& to) {
  static constexpr Field<Resources> kFields[] = {
      {"limit", into<&Resources::pids_limit>, kRequired},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, WeightDevice& to) {
  static constexpr Field<WeightDevice> kFields[] = {
      {"major", into<&WeightDevice::major>, kRequired},
      {"minor", into<&WeightDevice::minor>, kRequired},
      {"weight", into<&WeightDevice::weight>},
      {"leafWeight", into<&WeightDevice::leaf_weight>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, ThrottleDevice& to) {
  static constexpr Field<ThrottleDevice> kFields[] = {
      {"major", into<&ThrottleDevice::major>, kRequired},
      {"minor", into<&ThrottleDevice::minor>, kRequired},
      {"rate", into<&ThrottleDevice::rate>, kRequired},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, BlockIo& to) {
  static constexpr Field<BlockIo> kFields[] = {
      {"weight", into<&BlockIo::weight>},
      {"leafWeight", into<&BlockIo::leaf_weight>},
      {"weightDevice", into<&BlockIo::weight_device>},
      {"throttleReadBpsDevice", into<&BlockIo::throttle_read_bps>},
      {"throttleWriteBpsDevice", into<&BlockIo::throttle_write_bps>},
      {"throttleReadIOPSDevice", into<&BlockIo::throttle_read_iops>},
      {"throttleWriteIOPSDevice", into<&BlockIo::throttle_write_iops>},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, HugepageLimit& to) {
  static constexpr Field<HugepageLimit> kFields[] = {
      {"pageSize", into<&HugepageLimit::page_size>, kRequired},
      {"limit", bytes_into<&HugepageLimit::limit>, kRequired},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, InterfacePriority& to) {
  static constexpr Field<InterfacePriority> kFields[] = {
      {"name", into<&InterfacePriority::name>, kRequired},
      {"priority", into<&InterfacePriority::priority>, kRequired},
  };
  return read_object(at, kFields, to);
}

static Result<> read(const Cursor& at, Network& to) {
  static constexpr Field<Network> kFields[] = {
      {"classID", into<&Network::class_id>},
      {"priorities", into<&Network::priorities>},
  };
  return read_object(at, kFields, to);
}

// An object whose keys are the devices.
static Result<> read_rdma(const Cursor& at, Resources& to) {
  static constexpr Field<Rdma> kFields[] = {
      {"hcaHandles", into<&Rdma::hca_handles>},
      {"hcaObjects", into<&Rdma::hca_objects>},
  };
  if (!at.json().IsObject()) return at.error("must be an object");
  for (const auto& member : at.json().GetObject()) {
    Rdma& device = to.rdma.emplace_back();
    device.device = text_of(member.name);
    TRY(read_object(Cursor(at, device.device, member.value), kFields, device));
  }
  return {};
}

Result<> read(const Cursor& at, Resources& to) {
  static constexpr Field<Resources> kFields[] = {
      {"devices", into<&Resources::devices>},
      {"memory", into<&Resources::memory>},
      {"cpu", into<&Resources::cpu>},
      {"pids", read_pids},
      {"blockIO", into<&Resources::block_io>},
      {"hugepageLimits", into<&Resources::hugepage_limits>},
      {"network", into<&Resources::network>},
      {"rdma", read_rdma},
      {"unified", into<&Resources::unified>},
  };
  return read_object(at, kFields, to);
}

}  // namespace onggi::spec
