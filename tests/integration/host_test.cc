// SPDX-License-Identifier: Apache-2.0
// What the host's CPUs, memory nodes, namespaces and resctrl have to do with a container.
#include "support/suite.h"

#include <linux/capability.h>
#include <sched.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// While it lives, this process and what it starts are on one CPU; inherited affinity is what an
// engine that was started by taskset(1) hands down.
class OneCpu {
 public:
  OneCpu() {
    (void)sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first(), &one);
    (void)sched_setaffinity(0, sizeof one, &one);
  }
  ~OneCpu() { (void)sched_setaffinity(0, sizeof before_, &before_); }
  OneCpu(const OneCpu&) = delete;
  OneCpu& operator=(const OneCpu&) = delete;

  unsigned first() const { return nth(0); }
  unsigned second() const { return nth(1); }

 private:
  unsigned nth(unsigned wanted) const {
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (CPU_ISSET(cpu, &before_) && wanted-- == 0) return cpu;
    }
    return 0;
  }
  cpu_set_t before_;
};

Need several_cpus() {
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  (void)sched_getaffinity(0, sizeof cpus, &cpus);
  return {CPU_COUNT(&cpus) > 1, "needs two CPUs"};
}

std::string allowed_cpus(const std::string& status) {
  for (const std::string& line : lines(status)) {
    if (line.starts_with("Cpus_allowed_list:")) return line.substr(line.find('\t') + 1);
  }
  return "<none>";
}

std::string own_allowed_cpus() {
  return allowed_cpus(read_file("/proc/self/status"));
}

}  // namespace

TEST_SUITE_BEGIN("host");

CASE("the program runs on all CPUs of its cpuset, not on those of its caller (checklist 15)") {
  REQUIRES(root());
  REQUIRES(several_cpus());
  DEVIATES("runc", "1.1.5 keeps the caller's affinity");
  DEVIATES("crun", "1.8.1 keeps the caller's affinity");
  const std::string all = own_allowed_cpus();
  Bundle bundle;
  bundle.guest({"cat", "/proc/self/status"});
  const OneCpu caller;
  REQUIRE(own_allowed_cpus() != all);
  CHECK(allowed_cpus(run(bundle).out) == all);
}

CASE("a cpuset that does not have the caller's CPU is no obstacle") {
  REQUIRES(root());
  REQUIRES(several_cpus());
  REQUIRES(cgroup_controller("cpuset"));
  Bundle bundle;
  const OneCpu caller;
  const std::string other = std::to_string(caller.second());
  bundle.set("/linux/resources/cpu/cpus", other).guest({"cat", "/proc/self/status"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(allowed_cpus(outcome.out) == other);
}

CASE("execCPUAffinity is not for the container's first process, which keeps its cpuset") {
  REQUIRES(root());
  REQUIRES(several_cpus());
  Bundle bundle;
  const std::string all = own_allowed_cpus();
  bundle.set_json("/process/execCPUAffinity", R"({"initial": "0", "final": "0"})")
      .guest({"cat", "/proc/self/status"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(allowed_cpus(outcome.out) == all);
}

CASE("execCPUAffinity is kept for exec") {
  REQUIRES(root());
  REQUIRES((Need{is_onggi(), "onggi, whose own the file is"}));
  Bundle bundle;
  bundle.set_json("/process/execCPUAffinity", R"({"final": "0-4095"})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(contains(read_file(state_root() / container.id() / "config.json"), "0-4095"));
}

CASE("a list of CPUs that is none is an error of create") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know execCPUAffinity");
  DEVIATES("crun", "1.8.1 does not know execCPUAffinity");
  for (const char* list : {"0-", "3-1", "a", "0,,1", "0x1"}) {
    CAPTURE(list);
    Bundle bundle;
    const Outcome outcome = create(bundle.set("/process/execCPUAffinity/initial", list));
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "process.execCPUAffinity.initial: "));
  }
}

CASE("more CPUs and nodes than 1024 bits hold are accepted (checklist 35)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know memoryPolicy");
  DEVIATES("crun", "1.8.1 does not know memoryPolicy");
  Bundle bundle;
  bundle.set_json("/process/execCPUAffinity", R"({"initial": "0-4095", "final": "0,8191"})")
      .set_json("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0-1023"})")
      .guest({"scheduling"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(value_of(outcome.out, "mempolicy") == "2");
}

CASE("a node that no kernel has is refused with the cure") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know memoryPolicy");
  DEVIATES("crun", "1.8.1 does not know memoryPolicy");
  Bundle bundle;
  bundle.set_json("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "60000"})");
  const Outcome outcome = run(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.memoryPolicy: set_mempolicy"));
  if (is_onggi()) CHECK(contains(outcome.err, "must be online"));
}

CASE("a deadline scheduler with a part of the CPUs says what it lacks") {
  REQUIRES(root());
  REQUIRES(several_cpus());
  REQUIRES(cgroup_controller("cpuset"));
  DEVIATES("runc", "1.1.5 does not know the scheduler");
  EXCLUDES("crun", "1.8.1 has words of its own");
  Bundle bundle;
  bundle.set("/linux/resources/cpu/cpus", "0")
      .set_json("/process/scheduler", R"({"policy": "SCHED_DEADLINE", "runtime": 10000000,
                                          "deadline": 30000000, "period": 30000000})");
  const Outcome outcome = run(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "process.scheduler: sched_setattr 'SCHED_DEADLINE'"));
  CHECK(contains(outcome.err, "linux.resources.cpu.cpus"));
}

CASE("a joined namespace that is the runtime's own takes no sysctls (checklist 31)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 refuses those of the network namespace only");
  DEVIATES("crun", "1.8.1 writes it to the host");
  for (const auto& [type, file, key] : {std::tuple("network", "net", "net.ipv4.ip_default_ttl"),
                                        std::tuple("ipc", "ipc", "kernel.shm_rmid_forced")}) {
    CAPTURE(type);
    // What is there already: a runtime that takes it changes nothing.
    std::string path = std::string("/proc/sys/") + key;
    for (char& c : path) c = c == '.' && &c > &path[10] ? '/' : c;
    std::string value = read_file(path);
    value = value.substr(0, value.find('\n'));
    Bundle bundle;
    bundle.set_namespace(type, std::string("/proc/self/ns/") + file)
        .set(std::string("/linux/sysctl/") + key, value);
    const Outcome outcome = create(bundle);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "not in a separate kernel namespace"));
  }
}

CASE("a joined namespace of somebody else's takes sysctls") {
  REQUIRES(root());
  Bundle first_bundle;
  Container first(first_bundle.guest({"pause"}));
  REQUIRE(first.create().ok());
  Bundle bundle;
  bundle.set_namespace("network", "/proc/" + std::to_string(first.pid()) + "/ns/net")
      .set("/linux/sysctl/net.ipv4.ip_default_ttl", "42")
      .guest({"cat", "/proc/sys/net/ipv4/ip_default_ttl"});
  CHECK(run(bundle).out == "42\n");
}

CASE("intelRdt without a mounted resctrl is refused before anything is made") {
  REQUIRES(root());
  REQUIRES((
      Need{!contains(read_file("/proc/mounts"), " resctrl "), "a host without a mounted resctrl"}));
  DEVIATES("crun", "1.8.1 ignores intelRdt");
  Bundle bundle;
  for (const char* rdt :
       {R"({"closID": "a"})", R"({"closID": "/"})", R"({"schemata": ["L3:0=f"]})"}) {
    CAPTURE(rdt);
    bundle.set_json("/linux/intelRdt", rdt);
    if (!is_onggi())
      bundle.set_json("/linux/intelRdt", R"({"closID": "a", "l3CacheSchema": "L3:0=f"})");
    const Outcome outcome = create(bundle);
    CHECK(outcome.status == 1);
    if (!is_onggi()) continue;
    CHECK(contains(outcome.err, "linux.intelRdt: "));
    CHECK(contains(outcome.err, "resctrl"));
  }
}

CASE("new schemata without a mounted resctrl are refused, and other limits with them") {
  REQUIRES(root());
  REQUIRES((
      Need{!contains(read_file("/proc/mounts"), " resctrl "), "a host without a mounted resctrl"}));
  REQUIRES(cgroup_controller("pids"));
  EXCLUDES("crun", "1.8.1 does not know the options");
  EXCLUDES("runc", "1.1.5 sets the other limits first");
  Bundle bundle;
  bundle.guest({"pause"}).set_json("/linux/resources", R"({"pids": {"limit": 50}})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  for (const auto& [option, schema] :
       {std::pair("--l3-cache-schema", "L3:0=f"), std::pair("--mem-bw-schema", "MB:0=20")}) {
    CAPTURE(option);
    const Outcome outcome =
        runtime({"update", option, schema, "--pids-limit", "30", container.id()});
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, std::string(option) + ": "));
    CHECK(contains(outcome.err, "resctrl"));
    CHECK(cgroup_value(container.pid(), "pids", "pids.max", "pids.max") == "50");
  }
}

TEST_SUITE_END();
