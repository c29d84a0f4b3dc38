// SPDX-License-Identifier: Apache-2.0
// The properties follow from the files that are going to be written, not from linux.resources: so
// linux.resources.unified and `update` need no translation of their own, and both sides always
// mean the same.
#include "plan/unit_properties.h"

#include "spec/number_list.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace onggi::plan {
namespace {

constexpr uint64_t kInfinity = std::numeric_limits<uint64_t>::max();

UnitProperty number(std::string_view name, uint64_t value, std::string_view place) {
  return {std::string(name), "t", {std::to_string(value)}, std::string(place)};
}

UnitProperty yes(std::string_view name) {
  return {std::string(name), "b", {"1"}, ""};
}

// ── plain numbers ──

struct Row {
  bool unified;
  std::string_view file, property;
  uint64_t least, greatest;  // what systemd takes beside "infinity"
};
constexpr Row kRows[] = {
    {true, "memory.max", "MemoryMax", 1, kInfinity},
    {true, "memory.high", "MemoryHigh", 1, kInfinity},
    {true, "memory.low", "MemoryLow", 0, kInfinity},
    {true, "memory.min", "MemoryMin", 0, kInfinity},
    {true, "memory.swap.max", "MemorySwapMax", 0, kInfinity},
    {true, "cpu.weight", "CPUWeight", 1, 10000},
    {true, "pids.max", "TasksMax", 1, kInfinity},
    {true, "io.weight", "IOWeight", 1, 10000},
    {false, "memory.limit_in_bytes", "MemoryLimit", 1, kInfinity},
    {false, "cpu.shares", "CPUShares", 2, 262144},
    {false, "pids.max", "TasksMax", 1, kInfinity},
    {false, "blkio.weight", "BlockIOWeight", 10, 1000},
};

// io.weight has lines for devices beside that of the default, which may be written "default 100".
std::optional<uint64_t> limit_of(std::string_view text) {
  constexpr std::string_view kDefault = "default ";
  if (text.starts_with(kDefault)) text.remove_prefix(kDefault.size());
  if (text == "max" || text == "-1") return kInfinity;
  return parse_decimal<uint64_t>(text);
}

void add_plain(const CgroupSetting& setting, bool unified, UnitProperties& properties) {
  for (const Row& row : kRows) {
    // What a kernel may have instead of `file` (io.weight for io.bfq.weight) may be systemd's.
    const bool first = row.file == setting.file;
    if (row.unified != unified || (!first && row.file != setting.other_file)) continue;
    const std::optional<uint64_t> value = limit_of(first ? setting.value : setting.other_value);
    if (!value) continue;
    const bool infinite = *value == kInfinity && row.greatest == kInfinity;
    if (infinite || (*value >= row.least && *value <= row.greatest))
      properties.push_back(number(row.property, *value, setting.place));
  }
}

// ── processor time ──

struct Quota {
  std::optional<uint64_t> quota, period;  // microseconds
  std::string place;
};

// "50000 100000" or its first word, of v2; of v1 a file each.
void gather_quota(const CgroupSetting& setting, Quota& gathered) {
  const bool period = setting.file == "cpu.cfs_period_us";
  if (setting.file != "cpu.max" && setting.file != "cpu.cfs_quota_us" && !period) return;
  const std::string_view value = setting.value;
  const size_t blank = value.find(' ');
  (period ? gathered.period : gathered.quota) = limit_of(value.substr(0, blank));
  if (blank != std::string_view::npos)
    gathered.period = parse_decimal<uint64_t>(value.substr(blank + 1));
  gathered.place = setting.place;
}

void add_quota(const Quota& given, UnitProperties& properties) {
  constexpr uint64_t kSecond = 1'000'000, kStep = 10'000, kDefaultPeriod = 100'000;
  constexpr uint64_t kGreatest = uint64_t{1} << 43;  // above what the kernel takes
  if (given.period) properties.push_back(number("CPUQuotaPeriodUSec", *given.period, given.place));
  if (!given.quota) return;
  uint64_t per_second = kInfinity;
  const uint64_t period = given.period.value_or(kDefaultPeriod);
  if (*given.quota != kInfinity) {
    if (*given.quota > kGreatest || period == 0) return;
    // systemd counts in steps of 10 ms and would cut off what is below.
    per_second = (*given.quota * kSecond / period + kStep - 1) / kStep * kStep;
  }
  properties.push_back(number("CPUQuotaPerSecUSec", per_second, given.place));
}

// ── processors and memory nodes ──

// As bytes, the lowest number first. A list that systemd's form does not have is the kernel's
// alone.
void add_mask(const CgroupSetting& setting, UnitProperties& properties) {
  const bool nodes = setting.file == "cpuset.mems";
  if (!nodes && setting.file != "cpuset.cpus") return;
  const auto ranges = spec::parse_number_list(setting.value);
  if (!ranges || ranges->empty()) return;
  UnitProperty& property = properties.emplace_back();
  property = {nodes ? "AllowedMemoryNodes" : "AllowedCPUs", "ay", {}, setting.place};
  for (const uint64_t word : spec::bit_mask(*ranges)) {
    for (unsigned shift = 0; shift < 64; shift += 8)
      property.values.push_back(std::to_string(word >> shift & 0xff));
  }
  while (property.values.back() == "0") property.values.pop_back();
}

// ── devices ──

// Numbers are taken as they are, so no node has to exist (systemd.resource-control(5); names in
// /proc/devices would depend on the host).
std::string device_of(const DeviceRule& rule) {
  const bool block = rule.type == 'b';
  if (rule.major == kAnyNumber) return block ? "block-*" : "char-*";
  const std::string major = std::to_string(rule.major);
  if (rule.minor == kAnyNumber) return (block ? "block-" : "char-") + major;
  return (block ? "/dev/block/" : "/dev/char/") + major + ":" + std::to_string(rule.minor);
}

std::string letters_of(uint8_t access) {
  std::string letters;
  if ((access & kRead) != 0) letters += 'r';
  if ((access & kWrite) != 0) letters += 'w';
  if ((access & kMknod) != 0) letters += 'm';
  return letters;
}

struct UnitDevice {
  std::string name;
  uint8_t access;
};

// One entry a name: for systemd a second one takes the place of the first. A rule for one minor
// number of every major has no name of its own and gets that of all; our program is exact.
std::vector<UnitDevice> allowed_devices(const std::vector<DeviceRule>& rules) {
  std::vector<UnitDevice> devices;
  for (const DeviceRule& rule : rules) {
    if (!rule.allow) continue;
    std::string name = device_of(rule);
    const auto known = std::ranges::find(devices, name, &UnitDevice::name);
    if (known != devices.end()) {
      known->access |= rule.access;
    } else {
      devices.push_back({std::move(name), rule.access});
    }
  }
  return devices;
}

}  // namespace

void add_unit_basics(const UnitPath& path, std::string_view id, bool unified,
                     UnitProperties& properties) {
  const bool slice = path.unit.ends_with(".slice");
  properties.push_back({"Description", "s", {"onggi container " + std::string(id)}, ""});
  if (slice) {
    properties.push_back({"Wants", "as", {path.slice}, ""});
  } else {
    properties.push_back({"Slice", "s", {path.slice}, ""});
    properties.push_back(yes("Delegate"));  // what is below is ours and the container's
  }
  // One that has failed (its program was killed for want of memory) would stay, and its name with
  // it.
  properties.push_back({"CollectMode", "s", {"inactive-or-failed"}, ""});
  // Containers are stopped by their engine, not in the first moments of a shutdown.
  properties.push_back({"DefaultDependencies", "b", {"0"}, ""});
  for (const char* name : {"MemoryAccounting", "CPUAccounting", "TasksAccounting"})
    properties.push_back(yes(name));
  properties.push_back(yes(unified ? "IOAccounting" : "BlockIOAccounting"));
}

void add_unit_limits(const CgroupPlan& plan, UnitProperties& properties) {
  Quota quota;
  // An idle cgroup takes no weight; as systemd is told of none, it stays idle.
  const bool idle = std::ranges::any_of(plan.settings, [](const CgroupSetting& setting) {
    return setting.file == "cpu.idle" && setting.value == "1";
  });
  for (const CgroupSetting& setting : plan.settings) {
    const bool unified = plan.directories[setting.directory].unified;
    if (idle && (setting.file == "cpu.weight" || setting.file == "cpu.shares")) continue;
    add_plain(setting, unified, properties);
    gather_quota(setting, quota);
    if (unified) add_mask(setting, properties);
  }
  add_quota(quota, properties);
}

void add_unit_devices(const DevicePolicy& policy, UnitProperties& properties) {
  const std::string place = "linux.resources.devices";
  // The policy last: in front of its list it leaves a unit that systemd wants to reload
  // (NeedDaemonReload). An empty list first: a list adds.
  properties.push_back({"DeviceAllow", "a(ss)", {}, place});
  if (!policy.default_allow) {
    UnitProperty allowed{"DeviceAllow", "a(ss)", {}, place};
    const Result<DevicePolicy> additive = additive_device_policy(policy);
    for (const auto& [name, access] :
         allowed_devices(additive ? additive.value().rules : policy.rules)) {
      allowed.values.push_back(name);
      allowed.values.push_back(letters_of(access));
    }
    properties.push_back(std::move(allowed));
  }
  properties.push_back({"DevicePolicy", "s", {policy.default_allow ? "auto" : "strict"}, place});
}

}  // namespace onggi::plan
