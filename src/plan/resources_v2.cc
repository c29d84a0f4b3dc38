// SPDX-License-Identifier: Apache-2.0
// Cgroup v2 (Documentation/admin-guide/cgroup-v2.rst). What v2 does not have is an error unless the
// config asks for what v2 does anyway. The conversions from v1's ranges are the ones that other
// runtimes agree on.
#include "plan/resources_v2.h"

#include "base/split.h"
#include "plan/resource_checks.h"

namespace onggi::plan::v2 {
namespace {

constexpr const char* kNoSwapAccounting = "swap accounting is disabled: boot with swapaccount=1";
constexpr const char* kNoWeights =
    "no I/O scheduler supports weights: load BFQ and select it for the block devices, or enable "
    "io.cost";

// log2 and exp by series instead of libm: one more shared library would cost every start more than
// all translations.
constexpr double log2_of(double value) {
  double whole = 0;
  while (value >= 2) {
    value /= 2;
    whole += 1;
  }
  const double ratio = (value - 1) / (value + 1);  // at most 1/3: a digit and more each round
  double power = ratio, sum = 0;
  for (int odd = 1; odd < 40; odd += 2) {
    sum += power / odd;
    power *= ratio * ratio;
  }
  constexpr double kLn2 = 0.693147180559945309417;
  return whole + 2 * sum / kLn2;
}
constexpr double ten_to(double exponent) {
  constexpr double kLn10 = 2.30258509299404568402;
  const double part = exponent * kLn10 / 16;
  double term = 1, sum = 1;
  for (int i = 1; i < 20; i++) {
    term *= part / i;
    sum += term;
  }
  for (int i = 0; i < 4; i++) sum *= sum;
  return sum;
}

// 10^((l² + 125 l) / 612 − 7/34) for l = log2(shares): through the least, the default and the
// greatest values of both, so that 1024 becomes 100 (the straight line of earlier years made it
// 39).
constexpr uint64_t quadratic_weight(uint64_t shares) {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const double l = log2_of(static_cast<double>(shares));
  const double weight = ten_to((l * l + 125 * l) / 612 - 7.0 / 34);
  // Rounded up, but not for an error of the arithmetic in the last places.
  return static_cast<uint64_t>(weight + 1 - 1e-9);
}
static_assert(quadratic_weight(2) == 1 && quadratic_weight(1024) == 100 &&
              quadratic_weight(262144) == 10000);
static_assert(quadratic_weight(3) == 2 && quadratic_weight(512) == 59 &&
              quadratic_weight(262143) == 10000);

std::string bytes_or_max(int64_t value) {
  return value < 0 ? "max" : std::string(text<24>(value).view());
}

Result<> no_such_setting(std::string_view place) {
  return unsupported(place, "cgroup v2 does not support this setting");
}

void add_throttle(const std::vector<spec::ThrottleDevice>& devices, std::string_view name,
                  std::string_view key, SettingList& list) {
  for (size_t i = 0; i < devices.size(); i++) {
    const spec::ThrottleDevice& device = devices[i];
    auto line = text<80>(device.major, ":", device.minor, " ", key, "=");
    if (device.rate == 0) {
      line.append("max");  // v1 lifts a limit by 0, which io.max refuses
    } else {
      line.append(device.rate);
    }
    list.add(text<96>("linux.resources.blockIO.", name, "[", i, "]").view(), "io.max", line.view());
  }
}

// BFQ keeps v1's range, io.cost has its own.
Result<> add_weight(uint16_t weight, std::string_view device, std::string_view place,
                    SettingList& list) {
  TRY(check_block_weight(weight, place));
  CgroupSetting& setting = list.add(place, "io.bfq.weight", text<64>(device, weight).view());
  setting.other_file = "io.weight";
  setting.other_value = text<64>(device, io_weight(weight)).view();
  setting.missing_hint = kNoWeights;
  return {};
}

}  // namespace

uint64_t weight_of_shares(uint64_t shares) {
  return quadratic_weight(shares);
}

uint64_t io_weight(uint64_t weight) {
  return 1 + (weight - 10) * 9999 / 990;
}

Result<> memory(const spec::Resources& resources, SettingList& list) {
  if (!resources.memory) return {};
  const spec::Memory& given = *resources.memory;
  const auto limit = given.limit.value_or(0);
  const auto swap = limit == -1 && given.swap.value_or(0) == 0 ? -1 : given.swap.value_or(0);
  TRY(check_swap(limit, swap));
  if (given.swappiness) return no_such_setting("linux.resources.memory.swappiness");
  if (given.disable_oom_killer.value_or(false))
    return no_such_setting("linux.resources.memory.disableOOMKiller");
  if (!given.use_hierarchy.value_or(true))
    return no_such_setting("linux.resources.memory.useHierarchy");
  // Swap first: a memory limit that is being lowered makes the kernel reclaim at once, into the new
  // swap limit.
  if (swap != 0) {
    // Nothing can be taken off for unlimited memory: `swap` is then for swap alone, as other
    // runtimes have it.
    const int64_t only_swap = swap < 0 ? -1 : limit < 0 ? swap : swap - limit;
    CgroupSetting& setting =
        list.add("linux.resources.memory.swap", "memory.swap.max", bytes_or_max(only_swap));
    setting.ignore_missing = only_swap <= 0;
    setting.missing_hint = kNoSwapAccounting;
  }
  if (limit != 0) {
    CgroupSetting& setting =
        list.add("linux.resources.memory.limit", "memory.max", bytes_or_max(limit));
    // v1 refuses a limit below the usage; v2 would take it and kill (config-linux.md,
    // checkBeforeUpdate).
    if (given.check_before_update.value_or(false) && limit > 0)
      setting.not_below = "memory.current";
  }
  if (const auto reservation = given.reservation.value_or(0); reservation != 0) {
    list.add("linux.resources.memory.reservation", "memory.low", bytes_or_max(reservation));
  }
  warn_of_kernel_memory(given, list);
  return {};
}

Result<> cpu(const spec::Resources& resources, SettingList& list) {
  if (!resources.cpu) return {};
  const spec::Cpu& given = *resources.cpu;
  TRY(check_idle(given));
  if (given.realtime_period.value_or(0) != 0)
    return no_such_setting("linux.resources.cpu.realtimePeriod");
  if (given.realtime_runtime.value_or(0) != 0)
    return no_such_setting("linux.resources.cpu.realtimeRuntime");
  // A group that was idle takes no weight until it is no longer, and one that becomes idle forgets
  // it.
  if (given.shares.value_or(0) != 0) {
    list.add("linux.resources.cpu.shares", "cpu.weight", weight_of_shares(*given.shares))
        .retry_last = given.idle.has_value();
  }
  if (given.idle) list.add("linux.resources.cpu.idle", "cpu.idle", *given.idle);
  if (given.burst) {
    list.add("linux.resources.cpu.burst", "cpu.max.burst", *given.burst).retry_last = true;
  }
  const auto quota = given.quota.value_or(0);
  const auto period = given.period.value_or(0);
  if (quota == 0 && period == 0) return {};
  // A line without a period leaves the period as it is.
  auto line = text<64>(bytes_or_max(quota == 0 ? -1 : quota));
  if (period != 0) line.append(" ", period);
  list.add(quota != 0 ? "linux.resources.cpu.quota" : "linux.resources.cpu.period", "cpu.max",
           line.view());
  return {};
}

Result<> io(const spec::Resources& resources, SettingList& list) {
  if (!resources.block_io) return {};
  const spec::BlockIo& given = *resources.block_io;
  if (given.leaf_weight.value_or(0) != 0)
    return no_such_setting("linux.resources.blockIO.leafWeight");
  if (given.weight.value_or(0) != 0)
    TRY(add_weight(*given.weight, "", "linux.resources.blockIO.weight", list));
  for (size_t i = 0; i < given.weight_device.size(); i++) {
    const spec::WeightDevice& device = given.weight_device[i];
    const auto place = text<96>("linux.resources.blockIO.weightDevice[", i, "]");
    if (device.leaf_weight.value_or(0) != 0)
      return no_such_setting(text<112>(place.view(), ".leafWeight").view());
    if (device.weight.value_or(0) == 0) continue;
    TRY(add_weight(*device.weight, text<48>(device.major, ":", device.minor, " ").view(),
                   text<112>(place.view(), ".weight").view(), list));
  }
  add_throttle(given.throttle_read_bps, "throttleReadBpsDevice", "rbps", list);
  add_throttle(given.throttle_write_bps, "throttleWriteBpsDevice", "wbps", list);
  add_throttle(given.throttle_read_iops, "throttleReadIOPSDevice", "riops", list);
  add_throttle(given.throttle_write_iops, "throttleWriteIOPSDevice", "wiops", list);
  return {};
}

Result<> hugetlb(const spec::Resources& resources, SettingList& list) {
  return add_hugepage_limits(resources, "max", list);
}

Result<> net_cls(const spec::Resources& resources, SettingList&) {
  if (resources.network && resources.network->class_id)
    return no_such_setting("linux.resources.network.classID");
  return {};
}

Result<> net_prio(const spec::Resources& resources, SettingList&) {
  if (resources.network && !resources.network->priorities.empty()) {
    return no_such_setting("linux.resources.network.priorities");
  }
  return {};
}

Result<> rdma(const spec::Resources& resources, SettingList& list) {
  return add_rdma_limits(resources, list);
}

Result<> unified(const spec::Resources& resources, SettingList& list) {
  for (const auto& [file, value] : resources.unified) {
    const auto place = text<120>("linux.resources.unified[\"", file, "\"]");
    // io.max and its kind take one line a write.
    for (spec::Text line : lines_of(value)) list.add(place.view(), file, line);
  }
  return {};
}

}  // namespace onggi::plan::v2
