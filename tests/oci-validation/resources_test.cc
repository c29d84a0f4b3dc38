// SPDX-License-Identifier: Apache-2.0
// config-linux.md: limits of memory, CPUs and processes, read back from the kernel.
#include "oci-validation/limited.h"

#include <thread>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// What the kernel shows for "unlimited".
constexpr const char* kUnlimited = "9223372036854771712";

Need swap_accounting() {
  return {cgroup_v2().met ? fs::exists("/proc/swaps")
                          : fs::exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"),
          "needs swap accounting"};
}
Need memory_file(const std::string& name) {
  return file("/sys/fs/cgroup/memory/" + name);
}

}  // namespace

TEST_SUITE_BEGIN("resources");

CASE("memory: limit") {
  CITE("config-linux.md#memory: limit (int64, OPTIONAL) - sets limit of memory usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 536870912}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.limit_in_bytes", "memory.max") == "536870912");
}

CASE("memory: a limit of -1 is unlimited") {
  CITE(
      "config-linux.md#memory: Values for memory specify the limit in bytes, or -1 for unlimited "
      "memory.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": -1, "reservation": -1, "swap": -1}})");
  REQUIRE(limited.outcome.ok());
  const std::string value = limited.value("memory", "memory.limit_in_bytes", "memory.max");
  CHECK((value == "max" || value == kUnlimited));
}

CASE("memory: the greatest limit") {
  CITE("config-linux.md#memory: limit (int64, OPTIONAL) - sets limit of memory usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 9223372036854775807}})");
  REQUIRE(limited.outcome.ok());
  const std::string value = limited.value("memory", "memory.limit_in_bytes", "memory.max");
  CHECK((value == "max" || value == kUnlimited));
}

CASE("memory: reservation") {
  CITE("config-linux.md#memory: reservation (int64, OPTIONAL) - sets soft limit of memory usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"reservation": 33554432}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.soft_limit_in_bytes", "memory.low") == "33554432");
}

CASE("memory: swap is the limit of memory and swap together") {
  CITE("config-linux.md#memory: swap (int64, OPTIONAL) - sets limit of memory+Swap usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(swap_accounting());
  const Limited limited(R"({"memory": {"limit": 67108864, "swap": 100663296}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") ==
        (cgroup_v2().met ? "33554432" : "100663296"));
}

CASE("memory: swap equal to the limit is no swap") {
  CITE("config-linux.md#memory: swap (int64, OPTIONAL) - sets limit of memory+Swap usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(swap_accounting());
  const Limited limited(R"({"memory": {"limit": 67108864, "swap": 67108864}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") ==
        (cgroup_v2().met ? "0" : "67108864"));
}

CASE("memory: unlimited swap beside a limit") {
  CITE(
      "config-linux.md#memory: Values for memory specify the limit in bytes, or -1 for unlimited "
      "memory.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(swap_accounting());
  const Limited limited(R"({"memory": {"limit": 67108864, "swap": -1}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.limit_in_bytes", "memory.max") == "67108864");
  const std::string swap =
      limited.value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
  CHECK((swap == "max" || swap == kUnlimited));
}

CASE("memory: swap without a limit, or below it, is an error") {
  CITE("config-linux.md#memory: swap (int64, OPTIONAL) - sets limit of memory+Swap usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"memory": {"swap": 67108864}})",
                 R"({"memory": {"limit": 67108864, "swap": 33554432}})"});
}

CASE("memory: kernel memory is no error, though nothing limits it any more") {
  CITE(
      "config-linux.md#memory: kernel (int64, OPTIONAL, NOT RECOMMENDED) - sets hard limit for "
      "kernel memory");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(
      R"({"memory": {"limit": 67108864, "kernel": 33554432, "kernelTCP": 33554432}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.limit_in_bytes", "memory.max") == "67108864");
}

CASE("memory: swappiness, from the least to the greatest") {
  CITE("config-linux.md#memory: The values are from 0 to 100. Higher means more swappy.");
  REQUIRES(root());
  REQUIRES(memory_file("memory.swappiness"));
  for (const std::string value : {"0", "60", "100"}) {
    CAPTURE(value);
    const Limited limited(R"({"memory": {"swappiness": )" + value + "}}");
    REQUIRE(limited.outcome.ok());
    CHECK(limited.value("memory", "memory.swappiness", "") == value);
  }
}

CASE("memory: swappiness out of range is an error") {
  CITE("config-linux.md#memory: The values are from 0 to 100. Higher means more swappy.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes 2^64-1 for unset");
  REQUIRES(cgroup_controller("memory"));
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"memory": {"swappiness": 101}})", R"({"memory": {"swappiness": -1}})",
                 R"({"memory": {"swappiness": 18446744073709551615}})",
                 R"({"memory": {"swappiness": "60"}})"});
}

CASE("memory: the OOM killer is disabled") {
  CITE("config-linux.md#memory: To disable it, specify a value of true.");
  REQUIRES(root());
  REQUIRES(memory_file("memory.oom_control"));
  const Limited limited(R"({"memory": {"disableOOMKiller": true}})");
  REQUIRE(limited.outcome.ok());
  CHECK(contains(limited.value("memory", "memory.oom_control", ""), "oom_kill_disable 1"));
}

CASE("memory: the OOM killer is enabled") {
  CITE(
      "config-linux.md#memory: The OOM killer is enabled by default in every cgroup using the "
      "memory subsystem.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"disableOOMKiller": false}})");
  REQUIRE(limited.outcome.ok());
  if (cgroup_v1().met)
    CHECK(contains(limited.value("memory", "memory.oom_control", ""), "oom_kill_disable 0"));
}

CASE("memory: a program over its limit is killed") {
  CITE(
      "config-linux.md#memory: If enabled (false), tasks that attempt to consume more memory than "
      "they are allowed are immediately killed by the OOM killer.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(swap_accounting());
  Bundle bundle;
  bundle
      .set_json("/linux/resources/memory",
                R"({"limit": 33554432, "swap": 33554432, "disableOOMKiller": false})")
      .guest({"eat-memory", "134217728"});
  CHECK(run(bundle).status == 137);
}

CASE("memory: accounting over the hierarchy") {
  CITE(
      "config-linux.md#memory: If enabled (true), child cgroups will share the memory limits of "
      "this cgroup.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 67108864, "useHierarchy": true}})");
  REQUIRE(limited.outcome.ok());
  if (cgroup_v1().met) CHECK(limited.value("memory", "memory.use_hierarchy", "") == "1");
}

CASE("memory: no accounting over the hierarchy is an error where the kernel has nothing else") {
  CITE(
      "config-linux.md#memory: useHierarchy (bool, OPTIONAL) - enables or disables hierarchical "
      "memory accounting.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(kernel(5, 11));
  DEVIATES("runc", "1.1.5 does not know the field");
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"memory": {"useHierarchy": false}})").refused());
}

CASE("memory: a check before the update lets a limit above the usage pass") {
  CITE(
      "config-linux.md#memory: checkBeforeUpdate (bool, OPTIONAL) - enables container memory usage "
      "check before setting a new limit.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 67108864, "checkBeforeUpdate": true}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.limit_in_bytes", "memory.max") == "67108864");
}

CASE("memory: values of another type or below -1 are an error") {
  CITE("config-linux.md#memory: limit (int64, OPTIONAL) - sets limit of memory usage");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  DEVIATES("crun", "1.8.1 takes -2 for unlimited");
  check_refused({R"({"memory": {"limit": "64M"}})", R"({"memory": {"limit": 1.5}})",
                 R"({"memory": {"limit": 9223372036854775808}})", R"({"memory": {"limit": -2}})",
                 R"({"memory": {"reservation": -2}})", R"({"memory": {"swap": -2}})",
                 R"({"memory": {"disableOOMKiller": 1}})",
                 R"({"memory": {"useHierarchy": "true"}})", R"({"memory": 67108864})"});
}

CASE("cpu: shares") {
  CITE(
      "config-linux.md#cpu: shares (uint64, OPTIONAL) - specifies a relative share of CPU time "
      "available to the tasks in a cgroup");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  struct Row {
    const char *shares, *weight;
  };
  // The weights are those of the ends and of the default, where all conversions agree.
  for (const Row& row : {Row{"2", "1"}, Row{"262144", "10000"}}) {
    CAPTURE(row.shares);
    const Limited limited(R"({"cpu": {"shares": )" + std::string(row.shares) + "}}");
    REQUIRE(limited.outcome.ok());
    CHECK(limited.value("cpu", "cpu.shares", "cpu.weight") ==
          (cgroup_v2().met ? row.weight : row.shares));
  }
}

CASE("cpu: the default share is the default weight") {
  CITE(
      "config-linux.md#cpu: shares (uint64, OPTIONAL) - specifies a relative share of CPU time "
      "available to the tasks in a cgroup");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  DEVIATES("runc", "1.1.5 converts by a straight line");
  DEVIATES("crun", "1.8.1 converts by a straight line");
  const Limited limited(R"({"cpu": {"shares": 1024}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("cpu", "", "cpu.weight") == "100");
}

CASE("cpu: quota and period") {
  CITE(
      "config-linux.md#cpu: quota (int64, OPTIONAL) - specifies the total amount of time in "
      "microseconds for which all tasks in a cgroup can run during one period (as defined by "
      "period "
      "below)");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  const Limited limited(R"({"cpu": {"quota": 1000000, "period": 500000}})");
  REQUIRE(limited.outcome.ok());
  if (cgroup_v2().met) {
    CHECK(limited.value("cpu", "", "cpu.max") == "1000000 500000");
  } else {
    CHECK(limited.value("cpu", "cpu.cfs_quota_us", "") == "1000000");
    CHECK(limited.value("cpu", "cpu.cfs_period_us", "") == "500000");
  }
}

CASE("cpu: the least and the greatest period") {
  CITE(
      "config-linux.md#cpu: period (uint64, OPTIONAL) - specifies a period of time in microseconds "
      "for how regularly a cgroup's access to CPU resources should be reallocated (CFS scheduler "
      "only)");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  for (const std::string period : {"1000", "1000000"}) {
    CAPTURE(period);
    // A whole CPU: the container has to be made within it.
    const Limited limited(R"({"cpu": {"quota": )" + period + R"(, "period": )" + period + "}}");
    REQUIRE(limited.outcome.ok());
    CHECK(limited.value("cpu", "cpu.cfs_period_us", "cpu.max") ==
          (cgroup_v2().met ? period + " " : "") + period);
  }
}

CASE("cpu: a quota or a period that the kernel does not take is an error") {
  CITE(
      "config-linux.md#cpu: period (uint64, OPTIONAL) - specifies a period of time in microseconds "
      "for how regularly a cgroup's access to CPU resources should be reallocated (CFS scheduler "
      "only)");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"cpu": {"quota": 999, "period": 100000}})",
                 R"({"cpu": {"quota": 10000, "period": 999}})",
                 R"({"cpu": {"quota": 10000, "period": 1000001}})", R"({"cpu": {"period": -1}})",
                 R"({"cpu": {"quota": "1"}})"});
}

CASE("cpu: a period alone, and a quota alone") {
  CITE(
      "config-linux.md#cpu: period (uint64, OPTIONAL) - specifies a period of time in microseconds "
      "for how regularly a cgroup's access to CPU resources should be reallocated (CFS scheduler "
      "only)");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  const Limited period(R"({"cpu": {"period": 200000}})"), quota(R"({"cpu": {"quota": 30000}})");
  REQUIRE(period.outcome.ok());
  REQUIRE(quota.outcome.ok());
  CHECK(period.value("cpu", "cpu.cfs_period_us", "cpu.max") ==
        (cgroup_v2().met ? "max 200000" : "200000"));
  CHECK(quota.value("cpu", "cpu.cfs_quota_us", "cpu.max") ==
        (cgroup_v2().met ? "30000 100000" : "30000"));
}

CASE("cpu: a quota of -1 is no quota") {
  CITE(
      "config-linux.md#cpu: quota (int64, OPTIONAL) - specifies the total amount of time in "
      "microseconds for which all tasks in a cgroup can run during one period (as defined by "
      "period "
      "below)");
  REQUIRES(root());
  if (cgroup_v1().met) DEVIATES("crun", "1.8.1 writes it as a number without sign");
  REQUIRES(cgroup_controller("cpu"));
  const Limited limited(R"({"cpu": {"quota": -1, "period": 100000}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("cpu", "cpu.cfs_quota_us", "cpu.max") ==
        (cgroup_v2().met ? "max 100000" : "-1"));
}

CASE("cpu: burst") {
  CITE(
      "config-linux.md#cpu: burst (uint64, OPTIONAL) - specifies the maximum amount of accumulated "
      "time in microseconds for which all tasks in a cgroup can run additionally for burst during "
      "one period (as defined by period below)");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  REQUIRES(kernel(5, 14));
  DEVIATES("runc", "1.1.5 does not know burst");
  DEVIATES("crun", "1.8.1 writes it before the quota");
  const Limited limited(R"({"cpu": {"quota": 50000, "period": 100000, "burst": 50000}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("cpu", "cpu.cfs_burst_us", "cpu.max.burst") == "50000");
}

CASE("cpu: a burst above the quota is an error") {
  CITE(
      "config-linux.md#cpu: If specified, this value MUST be no larger than any positive quota "
      "(runtimes MAY generate an error).");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  REQUIRES(kernel(5, 14));
  DEVIATES("runc", "1.1.5 does not know burst");
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"cpu": {"quota": 20000, "period": 100000, "burst": 20001}})").refused());
}

CASE("cpu: realtime period and runtime") {
  CITE(
      "config-linux.md#cpu: realtimeRuntime (int64, OPTIONAL) - specifies a period of time in "
      "microseconds for the longest continuous period in which the tasks in a cgroup have access "
      "to CPU resources");
  REQUIRES(root());
  REQUIRES(file("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"));
  const Limited limited(R"({"cpu": {"realtimeRuntime": 1000, "realtimePeriod": 500000}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("cpu", "cpu.rt_runtime_us", "") == "1000");
  CHECK(limited.value("cpu", "cpu.rt_period_us", "") == "500000");
}

CASE("cpu: a realtime runtime above its period is an error") {
  CITE(
      "config-linux.md#cpu: realtimePeriod (uint64, OPTIONAL) - same as period but applies to "
      "realtime scheduler only");
  REQUIRES(root());
  REQUIRES(file("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"));
  DEVIATES("crun", kCrunLeavesCgroups);
  CHECK(Limited(R"({"cpu": {"realtimeRuntime": 600000, "realtimePeriod": 500000}})").refused());
}

CASE("cpu: cpus and mems") {
  CITE("config-linux.md#cpu: cpus (string, OPTIONAL) - list of CPUs the container will run in");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpuset"));
  const Limited limited(R"({"cpu": {"cpus": "0", "mems": "0"}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("cpuset", "cpuset.cpus", "cpuset.cpus") == "0");
  CHECK(limited.value("cpuset", "cpuset.mems", "cpuset.mems") == "0");
}

CASE("cpu: a program runs on its cpus alone") {
  CITE("config-linux.md#cpu: cpus (string, OPTIONAL) - list of CPUs the container will run in");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpuset"));
  REQUIRES((Need{std::thread::hardware_concurrency() > 1, "needs two CPUs"}));
  Bundle bundle;
  bundle.set_json("/linux/resources/cpu", R"({"cpus": "1"})").guest({"cpus"});
  CHECK(run(bundle).out == "cpus 1\n");
}

CASE("cpu: a list of cpus or mems that is none, or that the host does not have, is an error") {
  CITE(
      "config-linux.md#cpu: mems (string, OPTIONAL) - list of Memory Nodes the container will run "
      "in");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpuset"));
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused({R"({"cpu": {"cpus": "4000"}})", R"({"cpu": {"cpus": "first"}})",
                 R"({"cpu": {"cpus": "1-0"}})", R"({"cpu": {"cpus": 0}})",
                 R"({"cpu": {"mems": "63"}})", R"({"cpu": {"mems": "0;1"}})"});
}

CASE("cpu: idle") {
  CITE(
      "config-linux.md#cpu: idle (int64, OPTIONAL) - cgroups are configured with minimum weight, "
      "0: "
      "default behavior, 1: SCHED_IDLE.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  REQUIRES(kernel(5, 15));
  DEVIATES("runc", "1.1.5 does not know idle");
  for (const std::string value : {"0", "1"}) {
    CAPTURE(value);
    const Limited limited(R"({"cpu": {"idle": )" + value + "}}");
    REQUIRE(limited.outcome.ok());
    CHECK(limited.value("cpu", "cpu.idle", "cpu.idle") == value);
  }
}

CASE("cpu: another value of idle is an error") {
  CITE(
      "config-linux.md#cpu: idle (int64, OPTIONAL) - cgroups are configured with minimum weight, "
      "0: "
      "default behavior, 1: SCHED_IDLE.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  DEVIATES("runc", "1.1.5 does not know idle");
  DEVIATES("crun", kCrunLeavesCgroups);
  check_refused(
      {R"({"cpu": {"idle": 2}})", R"({"cpu": {"idle": -1}})", R"({"cpu": {"idle": true}})"});
}

CASE("pids: limit") {
  CITE("config-linux.md#pids: pids (object, OPTIONAL) represents the cgroup subsystem pids.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  for (const std::string value : {"1", "32771", "4194304"}) {
    CAPTURE(value);
    const Limited limited(R"({"pids": {"limit": )" + value + "}}");
    REQUIRE(limited.outcome.ok());
    CHECK(limited.value("pids", "pids.max", "pids.max") == value);
  }
}

CASE("pids: -1 is no limit") {
  CITE("config-linux.md#pids: pids (object, OPTIONAL) represents the cgroup subsystem pids.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  DEVIATES("crun", "1.8.1 writes -1 to the file");
  const Limited limited(R"({"pids": {"limit": -1}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("pids", "pids.max", "pids.max") == "max");
}

CASE("pids: a limit of another type is an error") {
  CITE("config-linux.md#pids: pids (object, OPTIONAL) represents the cgroup subsystem pids.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes text for a number");
  check_refused({R"({"pids": {"limit": "5"}})", R"({"pids": {"limit": 2.5}})",
                 R"({"pids": {"limit": 9223372036854775808}})", R"({"pids": 5})"});
}

TEST_SUITE_END();
