// SPDX-License-Identifier: Apache-2.0
// config.md: the scheduler, the I/O priority and the CPU affinity of the process.
#include "oci-validation/newer.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace onggi::test;

namespace {

std::string cpus_allowed(const std::string& status) {
  for (const std::string& line : lines(status)) {
    if (line.starts_with("Cpus_allowed_list:")) return line.substr(line.find('\t') + 1);
  }
  return "<none>";
}

}  // namespace

TEST_SUITE_BEGIN("scheduling");

CASE("scheduler: the policies that need no rights are set") {
  CITE("config.md#linux-process: policy (string, REQUIRED) represents the scheduling policy.");
  REQUIRES(root());
  NEWER_THAN_BOTH("the scheduler");
  const std::pair<const char*, int> policies[] = {
      {"SCHED_OTHER", SCHED_OTHER}, {"SCHED_BATCH", SCHED_BATCH}, {"SCHED_IDLE", SCHED_IDLE}};
  for (const auto& [name, number] : policies) {
    CAPTURE(name);
    const std::string seen =
        scheduling_with("/process/scheduler", std::string(R"({"policy": ")") + name + "\"}");
    CHECK(value_of(seen, "policy") == std::to_string(number));
  }
}

CASE("scheduler: nice is set, and 0 when it is not given") {
  CITE(
      "config.md#linux-process: nice (int32, OPTIONAL) is the nice value for the process, "
      "affecting "
      "its priority. A lower nice value corresponds to a higher priority. If not set, the runtime "
      "must use the value 0.");
  REQUIRES(root());
  NEWER_THAN_BOTH("the scheduler");
  CHECK(value_of(scheduling_with("/process/scheduler", R"({"policy": "SCHED_OTHER", "nice": 9})"),
                 "nice") == "9");
  const int before = getpriority(PRIO_PROCESS, 0);
  REQUIRE(setpriority(PRIO_PROCESS, 0, 5) == 0);
  const std::string seen = scheduling_with("/process/scheduler", R"({"policy": "SCHED_BATCH"})");
  (void)setpriority(PRIO_PROCESS, 0, before);
  CHECK(value_of(seen, "nice") == "0");
}

CASE("scheduler: a real-time policy has its priority") {
  CITE(
      "config.md#linux-process: priority (int32, OPTIONAL) represents the static priority of the "
      "process, used by real-time policies like SCHED_FIFO and SCHED_RR.");
  REQUIRES(root());
  REQUIRES(capability(CAP_SYS_NICE, "CAP_SYS_NICE"));
  NEWER_THAN_BOTH("the scheduler");
  Bundle bundle;
  bundle.set_json("/process/scheduler", R"({"policy": "SCHED_RR", "priority": 7})")
      .guest({"pause"});
  Container container(bundle);
  const Outcome created = container.create();
  REQUIRE(created.ok());
  const Outcome started = container.start();
  REQUIRES((Need{!contains(started.err, "realtimeRuntime"), "real-time cgroup shares"}));
  REQUIRE(started.ok());
  sched_param parameters = {};
  CHECK(sched_getscheduler(container.pid()) == SCHED_RR);
  CHECK(sched_getparam(container.pid(), &parameters) == 0);
  CHECK(parameters.sched_priority == 7);
}

CASE("scheduler: an unknown policy or flag is an error") {
  CITE("config.md#linux-process: A valid list of values is: SCHED_OTHER, SCHED_FIFO, ...");
  REQUIRES(root());
  NEWER_THAN_BOTH("the scheduler");
  CHECK(refuses("/process/scheduler", R"({"policy": "SCHED_FAIR"})"));
  CHECK(refuses("/process/scheduler", R"({"nice": 1})"));
  CHECK(refuses("/process/scheduler", R"({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_X"]})"));
}

CASE("scheduler: a flag is set") {
  CITE(
      "config.md#linux-process: flags (array of strings, OPTIONAL) is an array of strings "
      "representing scheduling flags.");
  REQUIRES(root());
  NEWER_THAN_BOTH("the scheduler");
  const std::string seen = scheduling_with(
      "/process/scheduler", R"({"policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"]})");
  CHECK(value_of(seen, "policy") == std::to_string(SCHED_BATCH | SCHED_RESET_ON_FORK));
}

CASE("scheduler: the deadline triple is that of SCHED_DEADLINE") {
  CITE(
      "config.md#linux-process: runtime (uint64, OPTIONAL) represents the amount of time in "
      "nanoseconds during which the process is allowed to run in a given period, used by the "
      "deadline scheduler.");
  REQUIRES(root());
  NEWER_THAN_BOTH("the scheduler");
  CHECK(refuses("/process/scheduler",
                R"({"policy": "SCHED_DEADLINE", "runtime": 30000000, "deadline": 10000000})"));
}

CASE("ioPriority: class and level are set") {
  CITE(
      "config.md#linux-process: ioPriority (object, OPTIONAL) configures the I/O priority settings "
      "for the container's processes within the process group.");
  REQUIRES(root());
  NEWER_THAN_BOTH("ioPriority");
  const std::tuple<const char*, int> classes[] = {
      {R"({"class": "IOPRIO_CLASS_BE", "priority": 3})", 2 << 13 | 3},
      {R"({"class": "IOPRIO_CLASS_IDLE", "priority": 0})", 3 << 13},
      {R"({"class": "IOPRIO_CLASS_RT", "priority": 7})", 1 << 13 | 7},
  };
  for (const auto& [priority, number] : classes) {
    CAPTURE(priority);
    CHECK(value_of(scheduling_with("/process/ioPriority", priority), "ioprio") ==
          std::to_string(number));
  }
}

CASE("ioPriority: the level is from 0 to 7") {
  CITE(
      "config.md#linux-process: priority (int, REQUIRED) specifies the priority level within the "
      "class. The value should be an integer ranging from 0 (highest) to 7 (lowest).");
  REQUIRES(root());
  NEWER_THAN_BOTH("ioPriority");
  CHECK(refuses("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 8})"));
  CHECK(refuses("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": -1})"));
}

CASE("ioPriority: the class is required, and one of three") {
  CITE(
      "config.md#linux-process: class (string, REQUIRED) specifies the I/O scheduling class. "
      "Possible values are IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, and IOPRIO_CLASS_IDLE.");
  REQUIRES(root());
  NEWER_THAN_BOTH("ioPriority");
  CHECK(refuses("/process/ioPriority", R"({"priority": 1})"));
  CHECK(refuses("/process/ioPriority", R"({"class": "IOPRIO_CLASS_NONE", "priority": 1})"));
}

CASE("ioPriority: it is that of the whole process group") {
  CITE(
      "config.md#linux-process: The I/O priority settings will be automatically applied to the "
      "entire process group, affecting all processes within the container.");
  REQUIRES(root());
  NEWER_THAN_BOTH("ioPriority");
  constexpr int kProcessGroup = 2;  // IOPRIO_WHO_PGRP
  Bundle bundle;
  bundle.set_json("/process/ioPriority", R"({"class": "IOPRIO_CLASS_IDLE", "priority": 0})")
      .guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  const pid_t pid = container.pid();
  CHECK(syscall(SYS_ioprio_get, kProcessGroup, getpgid(pid)) == 3 << 13);
}

CASE("execCPUAffinity: it is accepted, and nothing to the first process") {
  CITE(
      "config.md#linux-process: execCPUAffinity (object, OPTIONAL) specifies CPU affinity used to "
      "execute the process. This setting is not applicable to the container's init process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/process/execCPUAffinity", R"({"initial": "0", "final": "0"})")
      .guest({"cat", "/proc/self/status"});
  CHECK(cpus_allowed(run(bundle).out) == cpus_allowed(read_file("/proc/self/status")));
}

CASE("execCPUAffinity: the lists have commas and dashes") {
  CITE(
      "config.md#linux-process: This is a a comma-separated list, with dashes to represent ranges. "
      "For example, 0-3,7 represents CPUs 0,1,2,3, and 7.");
  REQUIRES(root());
  NEWER_THAN_BOTH("execCPUAffinity");
  Bundle bundle;
  CHECK(run(bundle.set_json("/process/execCPUAffinity", R"({"initial": "7", "final": "0-3,7"})"))
            .ok());
  for (const char* list : {"-1", "7-", "x", "3-0", "0;1"}) {
    CAPTURE(list);
    CHECK(refuses("/process/execCPUAffinity", std::string(R"({"final": ")") + list + "\"}"));
  }
}

CASE("execCPUAffinity: an empty final list is the container's own") {
  CITE(
      "config.md#linux-process: If omitted or empty, the container's default CPU affinity, as "
      "defined by cpu.cpus property, is used.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set_json("/process/execCPUAffinity", R"({"initial": "", "final": ""})")).ok());
}

TEST_SUITE_END();
