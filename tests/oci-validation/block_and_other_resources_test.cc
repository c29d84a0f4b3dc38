// SPDX-License-Identifier: Apache-2.0
// config-linux.md: limits of block I/O, huge pages, network classes, RDMA, and unified settings.
#include "oci-validation/limited.h"

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

std::string disk_fields() {
  const std::string number = disk_number();
  const size_t colon = number.find(':');
  return R"("major": )" + number.substr(0, colon) + R"(, "minor": )" + number.substr(colon + 1);
}

Need hugetlb() {
  return {(in_cgroup_v1("hugetlb") || in_cgroup_v2("hugetlb")) &&
              fs::exists("/sys/kernel/mm/hugepages/hugepages-2048kB"),
          "needs huge pages of 2 MB and their controller"};
}
std::string hugetlb_value(pid_t pid, const std::string& v1, const std::string& v2) {
  const fs::path directory = cgroup_directory(pid, "hugetlb");
  const std::string text = read_file(fs::exists(directory / v1) ? directory / v1 : directory / v2);
  return text.substr(0, text.find('\n'));
}

// Lines of a file that begin with the device.
std::string line_of(const std::string& text, const std::string& device) {
  return value_of(text, device);
}

constexpr const char* kWeightEntry =
    "config-linux.md#block-io: You MUST specify at least one of weight or leafWeight in a given "
    "entry, and MAY specify both.";
constexpr const char* kPageSize =
    "config-linux.md#huge-page-limits: The value has the format <size><unit-prefix>B (64KB, 2MB, "
    "1GB), and must match the <hugepagesize> of the corresponding control file found in";

}  // namespace

TEST_SUITE_BEGIN("block_and_other_resources");

CASE("block I/O: weight, from the least to the greatest") {
  CITE("config-linux.md#block-io: weight (uint16, OPTIONAL) - specifies per-cgroup weight.");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  REQUIRES(cgroup_controller(cgroup_v2().met ? "io" : "blkio"));
  for (const std::string weight : {"10", "500", "1000"}) {
    CAPTURE(weight);
    const Limited limited(R"({"blockIO": {"weight": )" + weight + "}}");
    if (limited.refused()) {  // BFQ and io.cost are modules
      CHECK(contains(limited.outcome.err, "weight"));
      continue;
    }
    const fs::path directory = cgroup_directory(limited.pid, "blkio");
    std::string shown;
    for (const std::string name :
         {"blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"})
      shown += read_file(directory / name);
    CHECK((contains(shown, weight) || contains(shown, "default ")));
  }
}

CASE("block I/O: a weight out of range is an error") {
  CITE("config-linux.md#block-io: weight (uint16, OPTIONAL) - specifies per-cgroup weight.");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"blockIO": {"weight": 1001}})", R"({"blockIO": {"weight": 65536}})",
                 R"({"blockIO": {"weight": -1}})", R"({"blockIO": {"weight": "500"}})"});
}

CASE("block I/O: a leaf weight is an error where the kernel has none") {
  CITE(
      "config-linux.md#block-io: leafWeight (uint16, OPTIONAL) - equivalents of weight for the "
      "purpose of deciding how much weight tasks in the given cgroup has while competing with the "
      "cgroup's child cgroups.");
  REQUIRES(root());
  REQUIRES(missing(file("/sys/fs/cgroup/blkio/blkio.leaf_weight")));
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"blockIO": {"leafWeight": 300}})").refused());
}

CASE("block I/O: an entry of weightDevice needs one of its weights") {
  CITE(kWeightEntry);
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores such an entry");
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"blockIO": {"weightDevice": [{"major": 8, "minor": 0}]}})").refused());
}

CASE("block I/O: an entry of weightDevice needs its numbers") {
  CITE(
      "config-linux.md#block-io: major, minor (int64, REQUIRED) - major, minor numbers for "
      "device.");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"blockIO": {"weightDevice": [{"major": 8, "weight": 500}]}})",
                 R"({"blockIO": {"weightDevice": [{"minor": 0, "weight": 500}]}})",
                 R"({"blockIO": {"weightDevice": {"major": 8, "minor": 0, "weight": 500}}})"});
}

CASE("block I/O: bytes per second are throttled") {
  CITE(
      "config-linux.md#block-io: throttleReadBpsDevice, throttleWriteBpsDevice (array of objects, "
      "OPTIONAL) - an array of per-device bandwidth rate limits.");
  REQUIRES(root());
  REQUIRES(cgroup_controller(cgroup_v2().met ? "io" : "blkio"));
  REQUIRES(disk());
  const Limited limited(R"({"blockIO": {"throttleReadBpsDevice": [{)" + disk_fields() +
                        R"(, "rate": 1048576}], "throttleWriteBpsDevice": [{)" + disk_fields() +
                        R"(, "rate": 2097152}]}})");
  REQUIRE(limited.outcome.ok());
  if (cgroup_v2().met) {
    const std::string line = line_of(limited.value("io", "", "io.max"), disk_number());
    CHECK(contains(line, "rbps=1048576 wbps=2097152"));
  } else {
    const std::string read = limited.value("blkio", "blkio.throttle.read_bps_device", ""),
                      write = limited.value("blkio", "blkio.throttle.write_bps_device", "");
    CHECK(line_of(read, disk_number()) == "1048576");
    CHECK(line_of(write, disk_number()) == "2097152");
  }
}

CASE("block I/O: operations per second are throttled") {
  CITE(
      "config-linux.md#block-io: throttleReadIOPSDevice, throttleWriteIOPSDevice (array of "
      "objects, "
      "OPTIONAL) - an array of per-device IO rate limits.");
  REQUIRES(root());
  REQUIRES(cgroup_controller(cgroup_v2().met ? "io" : "blkio"));
  REQUIRES(disk());
  const Limited limited(R"({"blockIO": {"throttleReadIOPSDevice": [{)" + disk_fields() +
                        R"(, "rate": 300}], "throttleWriteIOPSDevice": [{)" + disk_fields() +
                        R"(, "rate": 4294967295}]}})");
  REQUIRE(limited.outcome.ok());
  if (cgroup_v2().met) {
    CHECK(contains(line_of(limited.value("io", "", "io.max"), disk_number()), "riops=300"));
  } else {
    const std::string read = limited.value("blkio", "blkio.throttle.read_iops_device", "");
    CHECK(line_of(read, disk_number()) == "300");
  }
}

CASE("block I/O: throttling a device that the host does not have is an error") {
  CITE(
      "config-linux.md#block-io: major, minor (int64, REQUIRED) - major, minor numbers for "
      "device.");
  REQUIRES(root());
  REQUIRES(cgroup_controller(cgroup_v2().met ? "io" : "blkio"));
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"blockIO": {"throttleReadBpsDevice": [{"major": 60, "minor": 99,
                    "rate": 1048576}]}})")
            .refused());
}

CASE("block I/O: a rate is required, and a number") {
  CITE(
      "config-linux.md#block-io: rate (uint64, REQUIRED) - bandwidth rate limit in bytes per "
      "second "
      "for the device");
  REQUIRES(root());
  REQUIRES(disk());
  DEVIATES("runc", "1.1.5 takes a missing rate for none");
  DEVIATES("crun", "1.8.1 takes a missing rate for none");
  const std::string fields = disk_fields();
  for (const std::string rate : {"", R"(, "rate": "600")", R"(, "rate": -1)", R"(, "rate": 0.5)"}) {
    CAPTURE(rate);
    CHECK(
        Limited(R"({"blockIO": {"throttleReadBpsDevice": [{)" + fields + rate + "}]}}").refused());
    CHECK(Limited(R"({"blockIO": {"throttleWriteIOPSDevice": [{)" + fields + rate + "}]}}")
              .refused());
  }
}

CASE("huge pages: a limit") {
  CITE(
      "config-linux.md#huge-page-limits: limit (uint64, REQUIRED) - limit in bytes of hugepagesize "
      "HugeTLB reservations (if supported) or usage.");
  REQUIRES(root());
  REQUIRES(hugetlb());
  const Limited limited(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 209715200}]})");
  REQUIRE(limited.outcome.ok());
  CHECK(hugetlb_value(limited.pid, "hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.max") == "209715200");
}

CASE("huge pages: reservations are limited") {
  CITE(
      "config-linux.md#huge-page-limits: By default if supported by the kernel, hugepageLimits "
      "defines the hugepage sizes and limits for HugeTLB controller reservation accounting, which "
      "allows to limit the HugeTLB reservations per control group and enforces the controller "
      "limit "
      "at reservation time and at the fault of HugeTLB memory for which no reservation exists.");
  REQUIRES(root());
  REQUIRES(hugetlb());
  REQUIRES(kernel(5, 7));
  DEVIATES("runc", "1.1.5 limits the usage alone");
  DEVIATES("crun", "1.8.1 limits the usage alone");
  const Limited limited(R"({"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304},
                                               {"pageSize": "1GB", "limit": 0}]})");
  REQUIRE(limited.outcome.ok());
  CHECK(hugetlb_value(limited.pid, "hugetlb.2MB.rsvd.limit_in_bytes", "hugetlb.2MB.rsvd.max") ==
        "4194304");
  CHECK(hugetlb_value(limited.pid, "hugetlb.1GB.rsvd.limit_in_bytes", "hugetlb.1GB.rsvd.max") ==
        "0");
}

CASE("huge pages: a size in another form is an error") {
  CITE(kPageSize);
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  Strings all;
  for (const std::string size :
       {"2mb", "2M", "2097152", "MB", "0MB", "2 MB", "", "../2MB", "2MB/../../x", "-2MB", "2MiB"})
    all.push_back(R"({"hugepageLimits": [{"pageSize": ")" + size + R"(", "limit": 2097152}]})");
  check_refused(all);
}

CASE("huge pages: a size that the kernel does not have is an error") {
  CITE(kPageSize);
  REQUIRES(root());
  REQUIRES(hugetlb());
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"hugepageLimits": [{"pageSize": "3MB", "limit": 3145728}]})").refused());
}

CASE("huge pages: size and limit are required") {
  CITE("config-linux.md#huge-page-limits: pageSize (string, REQUIRED) - hugepage size.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes a missing limit for 0");
  DEVIATES("crun", "1.8.1 takes a missing limit for 0");
  check_refused({R"({"hugepageLimits": [{"limit": 2097152}]})",
                 R"({"hugepageLimits": [{"pageSize": "2MB"}]})",
                 R"({"hugepageLimits": [{"pageSize": "2MB", "limit": -1}]})",
                 R"({"hugepageLimits": [{"pageSize": "2MB", "limit": "2097152"}]})",
                 R"({"hugepageLimits": {"pageSize": "2MB", "limit": 2097152}})"});
}

CASE("network: the class of packets") {
  CITE(
      "config-linux.md#network: classID (uint32, OPTIONAL) - is the network class identifier the "
      "cgroup's network packets will be tagged with");
  REQUIRES(root());
  REQUIRES(cgroup_controller("net_cls"));
  const Limited limited(R"({"network": {"classID": 1048577}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("net_cls", "net_cls.classid", "") == "1048577");
}

CASE("network: priorities of interfaces") {
  CITE(
      "config-linux.md#network: priorities (array of objects, OPTIONAL) - specifies a list of "
      "objects of the priorities assigned to traffic originating from processes in the group and "
      "egressing the system on various interfaces.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("net_prio"));
  const Limited limited(R"({"network": {"priorities": [{"name": "lo", "priority": 500}]}})");
  REQUIRE(limited.outcome.ok());
  CHECK(contains(limited.value("net_prio", "net_prio.ifpriomap", ""), "lo 500"));
}

CASE("network: what no controller of the host can do is an error") {
  CITE(
      "config-linux.md#network: network (object, OPTIONAL) represents the cgroup subsystems "
      "net_cls and net_prio.");
  REQUIRES(root());
  REQUIRES(missing(cgroup_controller("net_cls")));
  REQUIRES(missing(cgroup_controller("net_prio")));
  DEVIATES("crun", kCrunLeavesCgroups);
  if (cgroup_v2().met) DEVIATES("runc", "1.1.5 ignores it");
  check_refused({R"({"network": {"classID": 1048577}})",
                 R"({"network": {"priorities": [{"name": "lo", "priority": 500}]}})"});
}

CASE("network: name and priority are required") {
  CITE("config-linux.md#network: priority (uint32, REQUIRED) - priority applied to the interface");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"network": {"priorities": [{"priority": 500}]}})",
                 R"({"network": {"priorities": [{"name": "lo"}]}})",
                 R"({"network": {"priorities": [{"name": "lo", "priority": -1}]}})",
                 R"({"network": {"classID": 4294967296}})", R"({"network": {"classID": "1:1"}})"});
}

CASE("RDMA: an entry needs one of its limits") {
  CITE(
      "config-linux.md#rdma: You MUST specify at least one of the hcaHandles or hcaObjects in a "
      "given entry, and MAY specify both.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not know rdma");
  CHECK(Limited(R"({"rdma": {"mlx5_1": {}}})").refused());
}

CASE("RDMA: a device that the host does not have is an error") {
  CITE("config-linux.md#rdma: The name of the device to limit is the entry key.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not know rdma");
  CHECK(Limited(R"({"rdma": {"none_0": {"hcaHandles": 3, "hcaObjects": 10000}}})").refused());
}

CASE("RDMA: values of another type are an error") {
  CITE(
      "config-linux.md#rdma: hcaHandles (uint32, OPTIONAL) - specifies the maximum number of "
      "hca_handles in the cgroup");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not know rdma");
  check_refused({R"({"rdma": {"mlx5_1": {"hcaHandles": -1}}})",
                 R"({"rdma": {"mlx5_1": {"hcaObjects": 4294967296}}})",
                 R"({"rdma": {"mlx5_1": {"hcaObjects": "1"}}})", R"({"rdma": {"mlx5_1": 1}})"});
}

CASE("unified: an error on a hierarchy that is not unified") {
  CITE(
      "config-linux.md#unified: The runtime MUST generate an error when the configuration refers "
      "to "
      "a cgroup controller that is not present or that cannot be enabled.");
  REQUIRES(root());
  REQUIRES(cgroup_v1());
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"unified": {"memory.max": "104857600"}})").refused());
}

CASE("unified: a controller that no host has is an error") {
  CITE(
      "config-linux.md#unified: The runtime MUST generate an error when the configuration refers "
      "to "
      "a cgroup controller that is not present or that cannot be enabled.");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"unified": {"nosuch.max": "1"}})").refused());
}

CASE("unified: a key that is not the name of a file is an error") {
  CITE(
      "config-linux.md#unified: Each key in the map refers to a file in the cgroup unified "
      "hierarchy.");
  REQUIRES(root());
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"unified": {"../memory.max": "1"}})", R"({"unified": {"": "1"}})",
                 R"({"unified": {"memory/memory.max": "1"}})", R"({"unified": {"memory": "1"}})",
                 R"({"unified": {"memory.max": 1}})"});
}

CASE("unified: settings are written, with their controllers enabled") {
  CITE(
      "config-linux.md#unified: The OCI runtime MUST ensure that the needed cgroup controllers are "
      "enabled for the cgroup.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  const Limited limited(R"({"unified": {"pids.max": "5", "memory.high": "1073741824",
                                        "cpu.weight": "42"}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("pids", "", "pids.max") == "5");
  CHECK(limited.value("memory", "", "memory.high") == "1073741824");
  CHECK(limited.value("cpu", "", "cpu.weight") == "42");
}

CASE("unified: a file that no controller of the specification has is written") {
  CITE(
      "config-linux.md#unified: Configuration unknown to the runtime MUST still be written to the "
      "relevant file.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  const Limited limited(R"({"unified": {"cgroup.max.depth": "3", "memory.oom.group": "1"}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("", "", "cgroup.max.depth") == "3");
  CHECK(limited.value("memory", "", "memory.oom.group") == "1");
}

CASE("unified: several lines for one file") {
  CITE(
      "config-linux.md#unified: unified (object, OPTIONAL) allows cgroup v2 parameters to be to be "
      "set and modified for the container.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(disk());
  const std::string device = disk_number();
  const Limited limited(R"({"unified": {"io.max": ")" + device + R"( rbps=2097152\n)" + device +
                        R"( wiops=120"}})");
  REQUIRE(limited.outcome.ok());
  const std::string line = line_of(limited.value("io", "", "io.max"), device);
  CHECK(contains(line, "rbps=2097152"));
  CHECK(contains(line, "wiops=120"));
}

CASE("unified: what cannot be converted to cgroup v2 is an error") {
  CITE(
      "config-linux.md#unified: If the conversion is not possible the runtime MUST generate an "
      "error.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  DEVIATES("runc", "1.1.5 ignores what it cannot convert");
  check_refused({R"({"memory": {"swappiness": 60}})", R"({"memory": {"disableOOMKiller": true}})",
                 R"({"cpu": {"realtimeRuntime": 1000}})", R"({"cpu": {"realtimePeriod": 500000}})",
                 R"({"blockIO": {"leafWeight": 300}})", R"({"network": {"classID": 1048577}})"});
}

TEST_SUITE_END();
