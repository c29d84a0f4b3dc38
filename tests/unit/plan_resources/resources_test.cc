// SPDX-License-Identifier: Apache-2.0
// Every field of linux.resources against the exact writes for v1 and v2.
#include "plan/resource_checks.h"
#include "plan/resources_v1.h"
#include "plan/resources_v2.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace {

using namespace onggi;
using plan::SettingList;

// "file=value", then "|other file=other value", "?" if it may be missing, "~" if it is retried
// last, ">=lower bound".
std::string render(const SettingList& list) {
  std::string text;
  for (const plan::CgroupSetting& setting : list.settings) {
    if (!text.empty()) text += "; ";
    text += setting.file + "=" + setting.value;
    if (!setting.other_file.empty()) text += "|" + setting.other_file + "=" + setting.other_value;
    if (setting.ignore_missing) text += "?";
    if (setting.retry_last) text += "~";
    if (!setting.not_below.empty()) text += ">=" + setting.not_below;
  }
  for (const std::string& warning : list.warnings)
    text += " warning: " + warning.substr(0, warning.find(':'));
  return text;
}

std::string translate(const std::vector<plan::Translation>& translations,
                      const spec::Resources& resources) {
  SettingList list;
  for (const plan::Translation translation : translations) {
    const Result<> result = translation(resources, list);
    if (result) continue;
    const Error& error = result.error();
    const std::string kind = error.kind == ErrorKind::unsupported      ? "unsupported "
                             : error.kind == ErrorKind::invalid_config ? "invalid "
                                                                       : "? ";
    return kind + std::string(error.place.view()) + ": " + std::string(error.message.view());
  }
  return render(list);
}

const std::vector<plan::Translation> kV1 = {
    plan::v1::memory,  plan::v1::cpu,     plan::add_cpuset,   plan::add_pids_limit, plan::v1::blkio,
    plan::v1::hugetlb, plan::v1::net_cls, plan::v1::net_prio, plan::v1::rdma};
const std::vector<plan::Translation> kV2 = {
    plan::v2::memory, plan::v2::cpu,     plan::add_cpuset,  plan::add_pids_limit,
    plan::v2::io,     plan::v2::hugetlb, plan::v2::net_cls, plan::v2::net_prio,
    plan::v2::rdma,   plan::v2::unified};

struct Row {
  const char* name;
  std::function<void(spec::Resources&)> fill;
  const char* v1;
  const char* v2;
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.name);
    spec::Resources resources;
    row.fill(resources);
    CHECK(translate(kV1, resources) == row.v1);
    CHECK(translate(kV2, resources) == row.v2);
  }
}

Row memory(const char* name, std::function<void(spec::Memory&)> fill, const char* v1,
           const char* v2) {
  return {name, [fill](spec::Resources& r) { fill(r.memory.emplace()); }, v1, v2};
}
Row cpu(const char* name, std::function<void(spec::Cpu&)> fill, const char* v1, const char* v2) {
  return {name, [fill](spec::Resources& r) { fill(r.cpu.emplace()); }, v1, v2};
}
Row block_io(const char* name, std::function<void(spec::BlockIo&)> fill, const char* v1,
             const char* v2) {
  return {name, [fill](spec::Resources& r) { fill(r.block_io.emplace()); }, v1, v2};
}

TEST_CASE("nothing asked, nothing written") {
  check({
      {"empty", [](spec::Resources&) {}, "", ""},
      memory(
          "memory {}", [](spec::Memory&) {}, "", ""),
      cpu(
          "cpu {}", [](spec::Cpu&) {}, "", ""),
      block_io(
          "blockIO {}", [](spec::BlockIo&) {}, "", ""),
      {"network {}", [](spec::Resources& r) { r.network.emplace(); }, "", ""},
      memory(
          "zeros are unset", [](spec::Memory& m) { m.limit = 0, m.swap = 0, m.reservation = 0; },
          "", ""),
      cpu(
          "zeros are unset",
          [](spec::Cpu& c) {
            c.shares = 0, c.quota = 0, c.period = 0, c.realtime_period = 0, c.realtime_runtime = 0;
          },
          "", ""),
      block_io(
          "zeros are unset", [](spec::BlockIo& b) { b.weight = 0, b.leaf_weight = 0; }, "", ""),
  });
}

TEST_CASE("memory: a swap limit counts memory too, 0 is unset, -1 no limit (checklist 25)") {
  constexpr const char* kNoSwappiness =
      "unsupported linux.resources.memory.swappiness: cgroup v2 does not support this setting";
  check({
      memory(
          "limit", [](spec::Memory& m) { m.limit = 1048576; }, "memory.limit_in_bytes=1048576",
          "memory.max=1048576"),
      memory(
          "no limit lifts that of swap too", [](spec::Memory& m) { m.limit = -1; },
          "memory.limit_in_bytes=-1~; memory.memsw.limit_in_bytes=-1?",
          "memory.swap.max=max?; memory.max=max"),
      memory(
          "swap counts memory too", [](spec::Memory& m) { m.limit = 100, m.swap = 250; },
          "memory.limit_in_bytes=100~; memory.memsw.limit_in_bytes=250",
          "memory.swap.max=150; memory.max=100"),
      memory(
          "no swap", [](spec::Memory& m) { m.limit = 100, m.swap = 100; },
          "memory.limit_in_bytes=100~; memory.memsw.limit_in_bytes=100",
          "memory.swap.max=0?; memory.max=100"),
      memory(
          "unlimited swap", [](spec::Memory& m) { m.limit = 100, m.swap = -1; },
          "memory.limit_in_bytes=100~; memory.memsw.limit_in_bytes=-1?",
          "memory.swap.max=max?; memory.max=100"),
      memory(
          "unlimited swap alone", [](spec::Memory& m) { m.swap = -1; },
          "memory.memsw.limit_in_bytes=-1?", "memory.swap.max=max?"),
      memory(
          "swap without limit", [](spec::Memory& m) { m.swap = 5; },
          "invalid linux.resources.memory.swap: memory and swap cannot be limited without "
          "linux.resources.memory.limit",
          "invalid linux.resources.memory.swap: memory and swap cannot be limited without "
          "linux.resources.memory.limit"),
      memory(
          "swap beside unlimited memory", [](spec::Memory& m) { m.limit = -1, m.swap = 65536; },
          "invalid linux.resources.memory.swap: cgroup v1 limits memory and swap together, and "
          "memory is unlimited",
          "memory.swap.max=65536; memory.max=max"),
      memory(
          "swap below limit", [](spec::Memory& m) { m.limit = 9, m.swap = 5; },
          "invalid linux.resources.memory.swap: 5 (memory plus swap) is below "
          "linux.resources.memory.limit 9",
          "invalid linux.resources.memory.swap: 5 (memory plus swap) is below "
          "linux.resources.memory.limit 9"),
      memory(
          "reservation", [](spec::Memory& m) { m.reservation = 7; }, "memory.soft_limit_in_bytes=7",
          "memory.low=7"),
      memory(
          "no reservation", [](spec::Memory& m) { m.reservation = -1; },
          "memory.soft_limit_in_bytes=-1", "memory.low=max"),
      memory(
          "swappiness", [](spec::Memory& m) { m.swappiness = 60; }, "memory.swappiness=60",
          kNoSwappiness),
      memory(
          "swappiness 0", [](spec::Memory& m) { m.swappiness = 0; }, "memory.swappiness=0",
          kNoSwappiness),
      memory(
          "swappiness 101", [](spec::Memory& m) { m.swappiness = 101; },
          "invalid linux.resources.memory.swappiness: must be 0 to 100, not 101", kNoSwappiness),
      memory(
          "disableOOMKiller", [](spec::Memory& m) { m.disable_oom_killer = true; },
          "memory.oom_control=1",
          "unsupported linux.resources.memory.disableOOMKiller: cgroup v2 does not support this "
          "setting"),
      memory(
          "disableOOMKiller false", [](spec::Memory& m) { m.disable_oom_killer = false; },
          "memory.oom_control=0", ""),
      memory(
          "useHierarchy", [](spec::Memory& m) { m.use_hierarchy = true; }, "memory.use_hierarchy=1",
          ""),
      memory(
          "useHierarchy false", [](spec::Memory& m) { m.use_hierarchy = false; },
          "memory.use_hierarchy=0",
          "unsupported linux.resources.memory.useHierarchy: cgroup v2 does not support this "
          "setting"),
      memory(
          "checkBeforeUpdate", [](spec::Memory& m) { m.limit = 5, m.check_before_update = true; },
          "memory.limit_in_bytes=5", "memory.max=5>=memory.current"),
      memory(
          "kernel", [](spec::Memory& m) { m.kernel = 5, m.kernel_tcp = 6; },
          " warning: linux.resources.memory.kernel warning: linux.resources.memory.kernelTCP",
          " warning: linux.resources.memory.kernel warning: linux.resources.memory.kernelTCP"),
  });
}

TEST_CASE("cpu") {
  check({
      cpu(
          "shares", [](spec::Cpu& c) { c.shares = 1024; }, "cpu.shares=1024", "cpu.weight=100"),
      cpu(
          "quota", [](spec::Cpu& c) { c.quota = 5000; }, "cpu.cfs_quota_us=5000", "cpu.max=5000"),
      cpu(
          "no quota", [](spec::Cpu& c) { c.quota = -1; }, "cpu.cfs_quota_us=-1", "cpu.max=max"),
      cpu(
          "period", [](spec::Cpu& c) { c.period = 2000; }, "cpu.cfs_period_us=2000~",
          "cpu.max=max 2000"),
      cpu(
          "quota and period", [](spec::Cpu& c) { c.quota = 5000, c.period = 2000; },
          "cpu.cfs_period_us=2000~; cpu.cfs_quota_us=5000", "cpu.max=5000 2000"),
      cpu(
          "burst", [](spec::Cpu& c) { c.burst = 100, c.quota = 5000; },
          "cpu.cfs_burst_us=100~; cpu.cfs_quota_us=5000", "cpu.max.burst=100~; cpu.max=5000"),
      cpu(
          "burst 0", [](spec::Cpu& c) { c.burst = 0; }, "cpu.cfs_burst_us=0~", "cpu.max.burst=0~"),
      cpu(
          "idle", [](spec::Cpu& c) { c.idle = 1; }, "cpu.idle=1", "cpu.idle=1"),
      cpu(
          "idle 0", [](spec::Cpu& c) { c.idle = 0; }, "cpu.idle=0", "cpu.idle=0"),
      cpu(
          "idle 2", [](spec::Cpu& c) { c.idle = 2; },
          "invalid linux.resources.cpu.idle: must be 0 or 1, not 2",
          "invalid linux.resources.cpu.idle: must be 0 or 1, not 2"),
      cpu(
          "shares and idle", [](spec::Cpu& c) { c.shares = 512, c.idle = 0; },
          "cpu.shares=512~; cpu.idle=0", "cpu.weight=59~; cpu.idle=0"),
      cpu(
          "realtime", [](spec::Cpu& c) { c.realtime_runtime = 10, c.realtime_period = 100; },
          "cpu.rt_period_us=100~; cpu.rt_runtime_us=10",
          "unsupported linux.resources.cpu.realtimePeriod: cgroup v2 does not support this "
          "setting"),
      cpu(
          "realtime runtime", [](spec::Cpu& c) { c.realtime_runtime = 10; }, "cpu.rt_runtime_us=10",
          "unsupported linux.resources.cpu.realtimeRuntime: cgroup v2 does not support this "
          "setting"),
      cpu(
          "cpuset", [](spec::Cpu& c) { c.cpus = "0-1", c.mems = "0"; },
          "cpuset.cpus=0-1; cpuset.mems=0", "cpuset.cpus=0-1; cpuset.mems=0"),
  });
}

TEST_CASE("a pids limit of 0 is 1, -1 is none (checklist 26)") {
  const auto pids = [](const char* name, int64_t limit, const char* expected) {
    return Row{name, [limit](spec::Resources& r) { r.pids_limit = limit; }, expected, expected};
  };
  check({pids("limit", 20, "pids.max=20"), pids("0 is the least that runs", 0, "pids.max=1"),
         pids("-1 is no limit", -1, "pids.max=max")});
}

TEST_CASE("blockIO") {
  constexpr const char* kWeightRange =
      "invalid linux.resources.blockIO.weight: must be 10 to 1000, not 9";
  check({
      block_io(
          "weight", [](spec::BlockIo& b) { b.weight = 10; }, "blkio.bfq.weight=10|blkio.weight=10",
          "io.bfq.weight=10|io.weight=1"),
      block_io(
          "greatest weight", [](spec::BlockIo& b) { b.weight = 1000; },
          "blkio.bfq.weight=1000|blkio.weight=1000", "io.bfq.weight=1000|io.weight=10000"),
      block_io(
          "weight out of range", [](spec::BlockIo& b) { b.weight = 9; }, kWeightRange,
          kWeightRange),
      block_io(
          "leafWeight", [](spec::BlockIo& b) { b.leaf_weight = 20; }, "blkio.leaf_weight=20",
          "unsupported linux.resources.blockIO.leafWeight: cgroup v2 does not support this "
          "setting"),
      block_io(
          "weightDevice",
          [](spec::BlockIo& b) {
            b.weight_device = {{8, 0, 100, {}}};
          },
          "blkio.bfq.weight_device=8:0 100|blkio.weight_device=8:0 100",
          "io.bfq.weight=8:0 100|io.weight=8:0 910"),
      block_io(
          "weightDevice leafWeight",
          [](spec::BlockIo& b) {
            b.weight_device = {{8, 0, {}, 100}};
          },
          "blkio.leaf_weight_device=8:0 100",
          "unsupported linux.resources.blockIO.weightDevice[0].leafWeight: cgroup v2 does not "
          "support this setting"),
      block_io(
          "throttle",
          [](spec::BlockIo& b) {
            b.throttle_read_bps = {{8, 0, 1}, {8, 16, 2}};
            b.throttle_write_bps = {{8, 0, 3}};
            b.throttle_read_iops = {{8, 0, 4}};
            b.throttle_write_iops = {{8, 0, 0}};
          },
          "blkio.throttle.read_bps_device=8:0 1; blkio.throttle.read_bps_device=8:16 2; "
          "blkio.throttle.write_bps_device=8:0 3; blkio.throttle.read_iops_device=8:0 4; "
          "blkio.throttle.write_iops_device=8:0 0",
          "io.max=8:0 rbps=1; io.max=8:16 rbps=2; io.max=8:0 wbps=3; io.max=8:0 riops=4; "
          "io.max=8:0 wiops=max"),
  });
}

TEST_CASE("hugepageLimits") {
  const auto pages = [](const char* name, const char* size, const char* v1, const char* v2) {
    return Row{name, [size](spec::Resources& r) { r.hugepage_limits = {{size, 4096}}; }, v1, v2};
  };
  const auto refused = [&](const char* size, const char* expected) {
    return pages(size, size, expected, expected);
  };
  check({
      pages("2MB", "2MB", "hugetlb.2MB.limit_in_bytes=4096; hugetlb.2MB.rsvd.limit_in_bytes=4096?",
            "hugetlb.2MB.max=4096; hugetlb.2MB.rsvd.max=4096?"),
      refused("../2MB",
              "invalid linux.resources.hugepageLimits[0].pageSize: '../2MB' is not a valid page "
              "size, such as 64KB, 2MB or 1GB"),
      refused("MB",
              "invalid linux.resources.hugepageLimits[0].pageSize: 'MB' is not a valid page size, "
              "such as 64KB, 2MB or 1GB"),
      refused("02MB",
              "invalid linux.resources.hugepageLimits[0].pageSize: '02MB' is not a valid page "
              "size, such as 64KB, 2MB or 1GB"),
  });
}

TEST_CASE("network and rdma") {
  check({
      {"classID", [](spec::Resources& r) { r.network.emplace().class_id = 1048577; },
       "net_cls.classid=1048577",
       "unsupported linux.resources.network.classID: cgroup v2 does not support this setting"},
      {"priorities",
       [](spec::Resources& r) {
         r.network.emplace().priorities = {{"eth0", 5}, {"eth1", 6}};
       },
       "net_prio.ifpriomap=eth0 5; net_prio.ifpriomap=eth1 6",
       "unsupported linux.resources.network.priorities: cgroup v2 does not support this setting"},
      {"rdma",
       [](spec::Resources& r) {
         r.rdma = {{"mlx5_1", 3, 10000}, {"mlx4_0", {}, 7}};
       },
       "rdma.max=mlx5_1 hca_handle=3 hca_object=10000; rdma.max=mlx4_0 hca_object=7",
       "rdma.max=mlx5_1 hca_handle=3 hca_object=10000; rdma.max=mlx4_0 hca_object=7"},
      {"rdma without limits",
       [](spec::Resources& r) {
         r.rdma = {{"mlx5_1", {}, {}}};
       },
       "invalid linux.resources.rdma.mlx5_1: requires hcaHandles or hcaObjects",
       "invalid linux.resources.rdma.mlx5_1: requires hcaHandles or hcaObjects"},
  });
}

TEST_CASE("each line of io.max is a write of its own (checklist 24)") {
  spec::Resources resources;
  auto& io = resources.block_io.emplace();
  io.throttle_read_bps = {{8, 0, 100}, {8, 16, 200}};
  io.throttle_write_iops = {{8, 0, 300}};
  CHECK(translate({plan::v2::io}, resources) ==
        "io.max=8:0 rbps=100; io.max=8:16 rbps=200; io.max=8:0 wiops=300");
}

// With pages of 64 KiB 100000 bytes are one page, with pages of 4 KiB they are 24: the kernel
// rounds, and a plan is the same on every machine.
TEST_CASE("memory limits are written to the byte, whatever the size of a page (checklist 36)") {
  check({
      memory(
          "limit and swap", [](spec::Memory& m) { m.limit = 100000, m.swap = 165537; },
          "memory.limit_in_bytes=100000~; memory.memsw.limit_in_bytes=165537",
          "memory.swap.max=65537; memory.max=100000"),
      memory(
          "reservation", [](spec::Memory& m) { m.reservation = 65535; },
          "memory.soft_limit_in_bytes=65535", "memory.low=65535"),
  });
}

TEST_CASE("unified is written line by line (checklist 24)") {
  const auto unified = [](spec::TextMap map) {
    spec::Resources resources;
    resources.unified = std::move(map);
    return translate({plan::v2::unified}, resources);
  };
  CHECK(unified({{"memory.high", "5"}, {"io.max", "8:0 rbps=1\n8:16 rbps=2\n"}}) ==
        "memory.high=5; io.max=8:0 rbps=1; io.max=8:16 rbps=2");
}

TEST_CASE("the weight of shares follows the quadratic formula over the whole range") {
  CHECK(plan::v2::weight_of_shares(2) == 1);
  CHECK(plan::v2::weight_of_shares(1024) == 100);
  CHECK(plan::v2::weight_of_shares(262144) == 10000);
  CHECK(plan::v2::weight_of_shares(1) == 1);
  CHECK(plan::v2::weight_of_shares(1 << 20) == 10000);
  uint64_t different = 0;
  for (uint64_t shares = 3; shares < 262144; shares++) {
    const double l = std::log2(static_cast<double>(shares));
    const auto expected =
        static_cast<uint64_t>(std::ceil(std::pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0)));
    different += plan::v2::weight_of_shares(shares) != expected;
  }
  CHECK(different == 0);
}

}  // namespace
