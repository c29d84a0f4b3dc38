// SPDX-License-Identifier: Apache-2.0
// Cgroup v1. Zero is "unset" wherever the kernel could not mean anything else by it or engines
// write it for a limit that nobody asked for (memory.*, cpu.shares, cpu.quota, cpu.period,
// blockIO.weight).
#include "plan/resources_v1.h"

#include "plan/resource_checks.h"

namespace onggi::plan::v1 {
namespace {

constexpr const char* kNoSwapAccounting = "swap accounting is disabled: boot with swapaccount=1";
constexpr const char* kNoRealtimeGroups = "this kernel was built without CONFIG_RT_GROUP_SCHED";
constexpr const char* kNoWeights =
    "no I/O scheduler supports weights: load BFQ and select it for the block devices";

void add_throttle(const std::vector<spec::ThrottleDevice>& devices, std::string_view name,
                  std::string_view file, SettingList& list) {
  for (size_t i = 0; i < devices.size(); i++) {
    const spec::ThrottleDevice& device = devices[i];
    list.add(text<96>("linux.resources.blockIO.", name, "[", i, "]").view(), file,
             text<80>(device.major, ":", device.minor, " ", device.rate).view());
  }
}

Result<> add_weight_device(const spec::WeightDevice& device, std::string_view place,
                           SettingList& list) {
  const auto add = [&](std::optional<uint16_t> weight, std::string_view field, const char* bfq_file,
                       const char* cfq_file) -> Result<> {
    if (!weight.value_or(0)) return {};
    const auto field_place = text<112>(place, field);
    TRY(check_block_weight(*weight, field_place.view()));
    const auto line = text<80>(device.major, ":", device.minor, " ", *weight);
    CgroupSetting& setting =
        list.add(field_place.view(), bfq_file ? bfq_file : cfq_file, line.view());
    setting.missing_hint = kNoWeights;
    if (bfq_file) {
      setting.other_file = cfq_file;
      setting.other_value = line.view();
    }
    return {};
  };
  TRY(add(device.weight, ".weight", "blkio.bfq.weight_device", "blkio.weight_device"));
  return add(device.leaf_weight, ".leafWeight", nullptr, "blkio.leaf_weight_device");
}

}  // namespace

Result<> memory(const spec::Resources& resources, SettingList& list) {
  if (!resources.memory) return {};
  const spec::Memory& given = *resources.memory;
  const auto limit = given.limit.value_or(0);
  // "Unlimited" is meant for both, or a swap limit from before would keep the memory limited.
  const auto swap = limit == -1 && given.swap.value_or(0) == 0 ? -1 : given.swap.value_or(0);
  TRY(check_swap(limit, swap));
  if (limit == -1 && swap > 0) {
    return with_hint(config_error("linux.resources.memory.swap",
                                  "cgroup v1 limits memory and swap together, and memory is "
                                  "unlimited"),
                     "set linux.resources.memory.limit as well");
  }
  if (limit != 0) {
    list.add("linux.resources.memory.limit", "memory.limit_in_bytes", limit).retry_last = swap != 0;
  }
  if (swap != 0) {
    CgroupSetting& setting =
        list.add("linux.resources.memory.swap", "memory.memsw.limit_in_bytes", swap);
    setting.ignore_missing = swap == -1;
    setting.missing_hint = kNoSwapAccounting;
  }
  if (const auto reservation = given.reservation.value_or(0); reservation != 0) {
    list.add("linux.resources.memory.reservation", "memory.soft_limit_in_bytes", reservation);
  }
  if (given.swappiness) {
    if (*given.swappiness > 100) {
      return config_error("linux.resources.memory.swappiness", "must be 0 to 100, not ",
                          *given.swappiness);
    }
    list.add("linux.resources.memory.swappiness", "memory.swappiness", *given.swappiness);
  }
  if (given.disable_oom_killer) {
    list.add("linux.resources.memory.disableOOMKiller", "memory.oom_control",
             *given.disable_oom_killer ? "1" : "0");
  }
  if (given.use_hierarchy) {
    list.add("linux.resources.memory.useHierarchy", "memory.use_hierarchy",
             *given.use_hierarchy ? "1" : "0");
  }
  // checkBeforeUpdate needs nothing here: v1 kernels refuse a limit that is below the usage.
  warn_of_kernel_memory(given, list);
  return {};
}

Result<> cpu(const spec::Resources& resources, SettingList& list) {
  if (!resources.cpu) return {};
  const spec::Cpu& given = *resources.cpu;
  TRY(check_idle(given));
  // A group that was idle takes no shares until it is no longer, and one that becomes idle forgets
  // them.
  if (given.shares.value_or(0) != 0) {
    TRY(check_shares(*given.shares));
    list.add("linux.resources.cpu.shares", "cpu.shares", *given.shares).retry_last =
        given.idle.has_value();
  }
  if (given.idle) list.add("linux.resources.cpu.idle", "cpu.idle", *given.idle);
  if (given.burst) {
    list.add("linux.resources.cpu.burst", "cpu.cfs_burst_us", *given.burst).retry_last = true;
  }
  if (given.period.value_or(0) != 0) {
    list.add("linux.resources.cpu.period", "cpu.cfs_period_us", *given.period).retry_last = true;
  }
  if (const auto quota = given.quota.value_or(0); quota != 0) {
    list.add("linux.resources.cpu.quota", "cpu.cfs_quota_us", quota < 0 ? -1 : quota);
  }
  if (given.realtime_period.value_or(0) != 0) {
    CgroupSetting& period =
        list.add("linux.resources.cpu.realtimePeriod", "cpu.rt_period_us", *given.realtime_period);
    period.retry_last = true;
    period.missing_hint = kNoRealtimeGroups;
  }
  if (given.realtime_runtime.value_or(0) != 0) {
    list.add("linux.resources.cpu.realtimeRuntime", "cpu.rt_runtime_us", *given.realtime_runtime)
        .missing_hint = kNoRealtimeGroups;
  }
  return {};
}

Result<> blkio(const spec::Resources& resources, SettingList& list) {
  if (!resources.block_io) return {};
  const spec::BlockIo& given = *resources.block_io;
  if (const auto weight = given.weight.value_or(0); weight != 0) {
    TRY(check_block_weight(weight, "linux.resources.blockIO.weight"));
    CgroupSetting& setting = list.add("linux.resources.blockIO.weight", "blkio.bfq.weight", weight);
    setting.other_file = "blkio.weight";
    setting.other_value = setting.value;
    setting.missing_hint = kNoWeights;
  }
  if (const auto weight = given.leaf_weight.value_or(0); weight != 0) {
    TRY(check_block_weight(weight, "linux.resources.blockIO.leafWeight"));
    list.add("linux.resources.blockIO.leafWeight", "blkio.leaf_weight", weight).missing_hint =
        "Linux 5.0 removed leaf weights, with the CFQ scheduler";
  }
  for (size_t i = 0; i < given.weight_device.size(); i++) {
    const auto place = text<96>("linux.resources.blockIO.weightDevice[", i, "]");
    TRY(add_weight_device(given.weight_device[i], place.view(), list));
  }
  add_throttle(given.throttle_read_bps, "throttleReadBpsDevice", "blkio.throttle.read_bps_device",
               list);
  add_throttle(given.throttle_write_bps, "throttleWriteBpsDevice",
               "blkio.throttle.write_bps_device", list);
  add_throttle(given.throttle_read_iops, "throttleReadIOPSDevice",
               "blkio.throttle.read_iops_device", list);
  add_throttle(given.throttle_write_iops, "throttleWriteIOPSDevice",
               "blkio.throttle.write_iops_device", list);
  return {};
}

Result<> hugetlb(const spec::Resources& resources, SettingList& list) {
  return add_hugepage_limits(resources, "limit_in_bytes", list);
}

Result<> net_cls(const spec::Resources& resources, SettingList& list) {
  if (resources.network && resources.network->class_id) {
    list.add("linux.resources.network.classID", "net_cls.classid", *resources.network->class_id);
  }
  return {};
}

Result<> net_prio(const spec::Resources& resources, SettingList& list) {
  if (!resources.network) return {};
  const auto& priorities = resources.network->priorities;
  for (size_t i = 0; i < priorities.size(); i++) {
    list.add(text<96>("linux.resources.network.priorities[", i, "]").view(), "net_prio.ifpriomap",
             text<128>(priorities[i].name, " ", priorities[i].priority).view());
  }
  return {};
}

Result<> rdma(const spec::Resources& resources, SettingList& list) {
  return add_rdma_limits(resources, list);
}

Result<> devices(const DevicePolicy& policy, SettingList& list) {
  // A new group has its parent's rules, so "everything" is what it has already.
  if (policy.allows_everything()) return {};
  const DevicePolicy additive = TRY(additive_device_policy(policy));
  if (!additive.default_allow) list.add("linux.resources.devices", "devices.deny", "a");
  for (const DeviceRule& rule : additive.rules) {
    list.add(rule.place, rule.allow ? "devices.allow" : "devices.deny", render(rule));
  }
  return {};
}

}  // namespace onggi::plan::v1
