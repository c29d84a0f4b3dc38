// SPDX-License-Identifier: Apache-2.0
// config-linux.md: network devices, intelRdt, memory policy, personality, sysctl; config.md: the
// scheduler, the I/O priority and the CPU affinity of the process.
#include "support/network.h"
#include "support/suite.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

// The rivals of Debian 12 are older than these fields.
#define NEWER_THAN_RUNC(what) DEVIATES("runc", "1.1.5 does not know " what)
#define NEWER_THAN_BOTH(what) \
  NEWER_THAN_RUNC(what);      \
  DEVIATES("crun", "1.8.1 does not know " what)

namespace {

std::string inside(const Container& container, const Strings& words) {
  return ip(words, "/proc/" + std::to_string(container.pid()) + "/ns/net");
}

bool refuses(const std::string& pointer, std::string_view json) {
  Bundle bundle;
  return !run(bundle.set_json(pointer, json)).ok();
}

// What the guest sees of its scheduling with one more setting.
std::string scheduling_with(const std::string& pointer, std::string_view json) {
  Bundle bundle;
  const Outcome outcome = run(bundle.set_json(pointer, json).guest({"scheduling"}));
  CHECK(outcome.err == "");
  return outcome.out;
}

Need resctrl_mounted(bool wanted) {
  const bool mounted = contains(read_file("/proc/mounts"), " resctrl ");
  return {mounted == wanted, wanted ? "needs a mounted resctrl" : "needs no mounted resctrl"};
}

constexpr const char* kResctrl = "/sys/fs/resctrl";

std::string cpus_allowed(const std::string& status) {
  for (const std::string& line : lines(status)) {
    if (line.starts_with("Cpus_allowed_list:")) return line.substr(line.find('\t') + 1);
  }
  return "<none>";
}

}  // namespace

TEST_SUITE_BEGIN("host_resources");

// ── network devices ──
CASE("network devices: a listed one is available in the container") {
  CITE(
      "config-linux.md#network-devices: netDevices (object, OPTIONAL) - A set of network devices "
      "that MUST be made available in the container.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {}})").guest({"interfaces"});
  CHECK(contains(run(bundle).out, "interface v0 "));
}

CASE("network devices: name is the one inside") {
  CITE(
      "config-linux.md#network-devices: name (string, OPTIONAL) - the name of the network device "
      "inside the container namespace. If not specified, the host name is used.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  host.add_interface("v1");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "container_eth0"}, "v1": {}})")
      .guest({"interfaces"});
  const std::string seen = run(bundle).out;
  CHECK(contains(seen, "interface container_eth0 "));
  CHECK(contains(seen, "interface v1 "));
  CHECK_FALSE(contains(seen, "interface v0 "));
}

CASE("network devices: a missing one is an error") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST check if moving the network interface to "
      "the container namespace is possible.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  CHECK(refuses("/linux/netDevices", R"({"no-such-device": {}})"));
}

CASE("network devices: a name that exists inside is an error") {
  CITE(
      "config-linux.md#network-devices: If a network device with the specified name already exists "
      "in the container namespace, the runtime MUST generate an error, unless the user has "
      "provided "
      "a template by appending %d to the new name.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  CHECK(refuses("/linux/netDevices", R"({"v0": {"name": "lo"}})"));
  CHECK(contains(ip({"-o", "link", "show", "v0"}), "v0"));
}

CASE("network devices: a template has a unique name made") {
  CITE(
      "config-linux.md#network-devices: In that case, the runtime MUST allow the move, and the "
      "kernel will generate a unique name for the interface within the container's network "
      "namespace.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  host.add_interface("v1");
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {"name": "eth%d"}, "v1": {"name": "eth%d"}})")
      .guest({"interfaces"});
  const std::string seen = run(bundle).out;
  CHECK(contains(seen, "interface eth0 "));
  CHECK(contains(seen, "interface eth1 "));
}

CASE("network devices: permanent addresses of global scope are preserved") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST preserve existing network interface "
      "attributes, including all permanent IP addresses (IFA_F_PERMANENT flag) of any family with "
      "global scope (RT_SCOPE_UNIVERSE value) as defined in RFC 3549 Section 2.3.3.2.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"link", "set", "v0", "mtu", "1300"});
  for (const char* address : {"192.0.2.7/24", "198.51.100.1/32", "2001:db8::7/64"})
    ip({"addr", "add", address, "dev", "v0"});
  Bundle bundle;
  Container container(bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})"));
  REQUIRE(container.create().ok());
  const std::string addresses = inside(container, {"-o", "addr", "show", "dev", "c0"});
  for (const char* address : {"192.0.2.7/24", "198.51.100.1/32", "2001:db8::7/64"})
    CHECK(contains(addresses, address));
  CHECK(contains(inside(container, {"-o", "link", "show", "c0"}), "mtu 1300"));
}

CASE("network devices: other addresses stay behind") {
  CITE(
      "config-linux.md#network-devices: This ensures that only addresses intended for persistent, "
      "external communication are transferred.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"addr", "add", "192.0.2.7/24", "valid_lft", "900", "preferred_lft", "900", "dev", "v0"});
  ip({"addr", "add", "169.254.9.9/16", "scope", "link", "dev", "v0"});
  Bundle bundle;
  Container container(bundle.set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})"));
  REQUIRE(container.create().ok());
  const std::string addresses = inside(container, {"-o", "-4", "addr", "show"});
  CHECK(contains(inside(container, {"-o", "link", "show"}), "c0"));
  CHECK_FALSE(contains(addresses, "192.0.2.7"));
  CHECK_FALSE(contains(addresses, "169.254.9.9"));
}

CASE("network devices: one that was down is up inside") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST set the network device state to \"up\" "
      "after moving it to the network namespace to allow the container to send and receive network "
      "traffic through that device.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  ip({"link", "set", "v0", "down"});
  Bundle bundle;
  bundle.set_json("/linux/netDevices", R"({"v0": {}})").guest({"interfaces"});
  CHECK(contains(run(bundle).out, "interface v0 up"));
}

CASE("network devices: one is not moved out of the namespace") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST NOT attempt to move the interface out of "
      "the namespace before deletion.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  Bundle keeper_bundle;
  Container keeper(keeper_bundle.guest({"pause"}));
  REQUIRE(keeper.create().ok());
  const std::string joined = "/proc/" + std::to_string(keeper.pid()) + "/ns/net";
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.set_namespace("network", joined).set_json("/linux/netDevices", R"({"v0": {}})");
  CHECK(run(bundle).ok());
  CHECK(ip({"-o", "link", "show", "v0"}) == "");
  CHECK(contains(ip({"-o", "link", "show", "v0"}, joined), ",UP"));
}

CASE("network devices: the namespace's end destroys a virtual one") {
  CITE(
      "config-linux.md#network-devices: The runtime MUST NOT actively manage the interface's "
      "lifecycle and configuration within the container's network namespace.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  CHECK(run(bundle.set_json("/linux/netDevices", R"({"v0": {}})")).ok());
  CHECK(eventually([] { return ip({"-o", "link", "show", "v0-peer"}).empty(); }));
}

CASE("network devices: a container without a network namespace of its own gets none") {
  CITE(
      "config-linux.md#network-devices: This schema focuses solely on moving existing network "
      "devices identified by name from the host network namespace into the container network "
      "namespace.");
  REQUIRES(root());
  REQUIRES(network_tools());
  NEWER_THAN_BOTH("netDevices");
  const NetworkNamespace host;
  host.add_interface("v0");
  Bundle bundle;
  bundle.drop_namespace("network").set_json("/linux/netDevices", R"({"v0": {"name": "c0"}})");
  CHECK_FALSE(create(bundle).ok());
  CHECK(contains(ip({"-o", "link", "show", "v0"}), "v0"));
}

CASE("network devices: names that no interface can have are an error") {
  CITE("config-linux.md#network-devices: The name of the network device is the entry key.");
  REQUIRES(root());
  NEWER_THAN_BOTH("netDevices");
  CHECK(refuses("/linux/netDevices", R"({"a/b": {}})"));
  CHECK(refuses("/linux/netDevices", R"({"v0": {"name": "longer-than-15-bytes"}})"));
  CHECK(refuses("/linux/netDevices", R"({"v0": {"name": 23}})"));
}

// ── intelRdt ──
CASE("intelRdt: without a mounted resctrl every form is an error") {
  CITE(
      "config-linux.md#intelrdt: If no mounted resctrl pseudo-filesystem is available in the "
      "runtime mount namespace, the runtime MUST generate an error.");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(false));
  NEWER_THAN_BOTH("an error for a class without schemata");
  for (const char* rdt :
       {"{}", R"({"closID": "guaranteed_group"})", R"({"closID": "/"})",
        R"({"schemata": ["L3:0=7f0;1=1f", "MB:0=20;1=70"]})", R"({"enableMonitoring": true})"}) {
    CAPTURE(rdt);
    CHECK(refuses("/linux/intelRdt", rdt));
  }
}

CASE("intelRdt: not set, no resctrl is looked for") {
  CITE(
      "config-linux.md#intelrdt: If intelRdt is not set, the runtime MUST NOT manipulate any "
      "resctrl pseudo-filesystems.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  CHECK(container.run().ok());
  CHECK_FALSE(fs::exists(fs::path(kResctrl) / container.id()));
}

CASE("intelRdt: memBwSchema begins with MB:") {
  CITE(
      "config-linux.md#intelrdt: memBwSchema (string, OPTIONAL) - specifies the schema of memory "
      "bandwidth per L3 cache id. The value MUST start with MB: and MUST NOT contain newlines.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores intelRdt");
  for (const char* schema : {R"("L3:0=f")", R"("0=20")", R"("MB:0=20\nMB:1=20")"}) {
    CAPTURE(schema);
    Bundle bundle;
    bundle.set_json("/linux/intelRdt",
                    std::string(R"({"closID": "a", "memBwSchema": )") + schema + "}");
    const Outcome outcome = create(bundle);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) CHECK(contains(outcome.err, "linux.intelRdt.memBwSchema: "));
  }
}

CASE("intelRdt: a line of schemata has no newline") {
  CITE(
      "config-linux.md#intelrdt: Each element represents one line in the schemata file. The value "
      "MUST NOT contain newlines.");
  REQUIRES(root());
  NEWER_THAN_BOTH("schemata");
  Bundle bundle;
  bundle.set_json("/linux/intelRdt", R"({"closID": "a", "schemata": ["L3:0=f\nMB:0=20"]})");
  const Outcome outcome = create(bundle);
  CHECK_FALSE(outcome.ok());
  if (is_onggi()) CHECK(contains(outcome.err, "linux.intelRdt.schemata[0]: "));
}

CASE("intelRdt: closID is the name of one directory") {
  CITE("config-linux.md#intelrdt: That sub-directory name is specified by closID parameter.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores intelRdt");
  for (const char* id : {"..", ".", "a/b", "/a"}) {
    CAPTURE(id);
    Bundle bundle;
    bundle.set("/linux/intelRdt/closID", id).set("/linux/intelRdt/l3CacheSchema", "L3:0=f");
    const Outcome outcome = create(bundle);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) CHECK(contains(outcome.err, "linux.intelRdt.closID: "));
  }
}

CASE("intelRdt: a container in the default class is in the root's tasks") {
  CITE(
      "config-linux.md#intelrdt: As a special case, value / means that the container MUST be "
      "assigned to the default CLOS (the root of the resctrl filesystem).");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(true));
  NEWER_THAN_BOTH("the default class");
  Bundle bundle;
  Container container(bundle.set("/linux/intelRdt/closID", "/"));
  REQUIRE(container.create().ok());
  CHECK(contains(read_file(fs::path(kResctrl) / "tasks"), std::to_string(container.pid())));
}

CASE("intelRdt: without closID the class has the container's id, and goes with it") {
  CITE(
      "config-linux.md#intelrdt: If closID is not set and the runtime has created the "
      "sub-directory, the runtime MUST remove the sub-directory when the container is deleted.");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(true));
  NEWER_THAN_BOTH("a class without schemata");
  Bundle bundle;
  Container container(bundle.set_json("/linux/intelRdt", R"({"enableMonitoring": true})"));
  REQUIRE(container.create().ok());
  const fs::path group = fs::path(kResctrl) / container.id();
  CHECK(contains(read_file(group / "tasks"), std::to_string(container.pid())));
  CHECK(contains(read_file(group / "mon_groups" / container.id() / "tasks"),
                 std::to_string(container.pid())));
  REQUIRE(container.remove(true).ok());
  CHECK_FALSE(fs::exists(group));
}

CASE("intelRdt: a closID without schemata has to exist") {
  CITE(
      "config-linux.md#intelrdt: If such pre-configured directory closID exists, runtime MUST "
      "assign container to this closID and generate an error if directory does not exist.");
  REQUIRES(root());
  REQUIRES(resctrl_mounted(true));
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/linux/intelRdt/closID", tag())).ok());
  CHECK_FALSE(fs::exists(fs::path(kResctrl) / tag()));
}

// ── memory policy ──
CASE("memory policy: each mode is set") {
  CITE(
      "config-linux.md#memory-policy: memoryPolicy (object, OPTIONAL) sets the NUMA memory policy "
      "for the container.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  const std::pair<const char*, const char*> modes[] = {
      {R"({"mode": "MPOL_DEFAULT"})", "0"},
      {R"({"mode": "MPOL_PREFERRED", "nodes": "0"})", "1"},
      {R"({"mode": "MPOL_BIND", "nodes": "0"})", "2"},
      {R"({"mode": "MPOL_INTERLEAVE", "nodes": "0"})", "3"},
      {R"({"mode": "MPOL_LOCAL"})", "4"},
  };
  for (const auto& [policy, number] : modes) {
    CAPTURE(policy);
    CHECK(value_of(scheduling_with("/linux/memoryPolicy", policy), "mempolicy") == number);
  }
}

CASE("memory policy: the newer modes are set") {
  CITE(
      "config-linux.md#memory-policy: A valid list of constants is shown below. MPOL_DEFAULT, "
      "MPOL_BIND, MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, "
      "MPOL_LOCAL");
  REQUIRES(root());
  REQUIRES(kernel(6, 9));
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(value_of(scheduling_with("/linux/memoryPolicy",
                                 R"({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"})"),
                 "mempolicy") == "5");
  CHECK(value_of(scheduling_with("/linux/memoryPolicy",
                                 R"({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"})"),
                 "mempolicy") == "6");
}

CASE("memory policy: nodes is a list with ranges") {
  CITE(
      "config-linux.md#memory-policy: nodes (string, OPTIONAL) - list of memory nodes from which "
      "nodemask is constructed to set_mempolicy(2). This is a comma-separated list, with dashes to "
      "represent ranges.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  const std::string seen =
      scheduling_with("/linux/memoryPolicy", R"({"mode": "MPOL_BIND", "nodes": "0-3,7"})");
  CHECK(value_of(seen, "mempolicy") == "2");
  for (const char* list : {"x", "3-1", "0,", "0-", "0 1"}) {
    CAPTURE(list);
    CHECK(refuses("/linux/memoryPolicy",
                  std::string(R"({"mode": "MPOL_BIND", "nodes": ")") + list + "\"}"));
  }
}

CASE("memory policy: some modes require that there are no nodes") {
  CITE(
      "config-linux.md#memory-policy: Some modes require that there are no nodes, e.g. "
      "MPOL_DEFAULT and MPOL_LOCAL.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_DEFAULT", "nodes": "0"})"));
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_LOCAL", "nodes": "0"})"));
}

CASE("memory policy: others require at least one") {
  CITE(
      "config-linux.md#memory-policy: Others that there is at least one node, e.g. MPOL_BIND and "
      "MPOL_INTERLEAVE.");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_BIND"})"));
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_INTERLEAVE", "nodes": ""})"));
}

CASE("memory policy: flags go with the mode") {
  CITE(
      "config-linux.md#memory-policy: flags (array of strings, OPTIONAL) - list of flags to use "
      "with set_mempolicy(2).");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  constexpr int kBind = 2, kStaticNodes = 1 << 15;
  const std::string seen =
      scheduling_with("/linux/memoryPolicy",
                      R"({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]})");
  CHECK(value_of(seen, "mempolicy") == std::to_string(kBind | kStaticNodes));
}

CASE("memory policy: what is not in the lists is an error") {
  CITE("config-linux.md#memory-policy: mode (string, REQUIRED)");
  REQUIRES(root());
  NEWER_THAN_BOTH("memoryPolicy");
  CHECK(refuses("/linux/memoryPolicy", R"({"mode": "MPOL_SOMETHING"})"));
  CHECK(refuses("/linux/memoryPolicy", R"({"nodes": "0"})"));
  CHECK(refuses("/linux/memoryPolicy",
                R"({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_OTHER"]})"));
}

// ── personality ──
CASE("personality: LINUX is the ordinary domain") {
  CITE("config-linux.md#personality: domain (string, REQUIRED) - the execution domain.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/linux/personality", R"({"domain": "LINUX"})").guest({"machine"});
  CHECK_FALSE(contains(run(bundle).out, "i686"));
}

CASE("personality: an unknown domain is an error") {
  CITE("config-linux.md#personality: The valid list of constants is shown below.");
  REQUIRES(root());
  NEWER_THAN_RUNC("personality");
  CHECK(refuses("/linux/personality", R"({"domain": "BSD"})"));
}

CASE("personality: the domain is required") {
  CITE("config-linux.md#personality: domain (string, REQUIRED) - the execution domain.");
  REQUIRES(root());
  NEWER_THAN_RUNC("personality");
  CHECK(refuses("/linux/personality", R"({"flags": []})"));
}

CASE("personality: there are no flags") {
  CITE(
      "config-linux.md#personality: flags (array of strings, OPTIONAL) - the additional flags to "
      "apply. Currently no flag values are supported.");
  REQUIRES(root());
  NEWER_THAN_RUNC("personality");
  DEVIATES("crun", "1.8.1 ignores the flags");
  CHECK(refuses("/linux/personality", R"({"domain": "LINUX32", "flags": ["ADDR_NO_RANDOMIZE"]})"));
}

// ── sysctl ──
CASE("sysctl: a parameter of each separate namespace is set") {
  CITE(
      "config-linux.md#sysctl: sysctl (object, OPTIONAL) allows kernel parameters to be modified "
      "at "
      "runtime for the container.");
  REQUIRES(root());
  Bundle bundle;
  bundle
      .set_json("/linux/sysctl", R"({"net.core.somaxconn": "257", "kernel.shmmni": "77",
                                     "fs.mqueue.queues_max": "9"})")
      .guest({"cat", "/proc/sys/net/core/somaxconn", "/proc/sys/kernel/shmmni",
              "/proc/sys/fs/mqueue/queues_max"});
  CHECK(run(bundle).out == "257\n77\n9\n");
}

CASE("sysctl: the host's value stays") {
  CITE(
      "config-linux.md#sysctl: sysctl (object, OPTIONAL) allows kernel parameters to be modified "
      "at "
      "runtime for the container.");
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/kernel/msgmax");
  Bundle bundle;
  bundle.set("/linux/sysctl/kernel.msgmax", "4242").guest({"cat", "/proc/sys/kernel/msgmax"});
  CHECK(run(bundle).out == "4242\n");
  CHECK(read_file("/proc/sys/kernel/msgmax") == before);
}

CASE("sysctl: a parameter of the whole host is refused") {
  CITE(
      "config-linux.md#sysctl: sysctl (object, OPTIONAL) allows kernel parameters to be modified "
      "at "
      "runtime for the container.");
  REQUIRES(root());
  const std::string value = read_file("/proc/sys/vm/swappiness");
  Bundle bundle;
  bundle.set("/linux/sysctl/vm.swappiness", value.substr(0, value.find('\n')));
  CHECK_FALSE(create(bundle).ok());
}

CASE("sysctl: one of a namespace that is shared with the host is refused") {
  CITE(
      "config-linux.md#namespaces: If a namespace type is not specified in the namespaces array, "
      "the container MUST inherit the runtime namespace of that type.");
  REQUIRES(root());
  Bundle bundle;
  bundle.drop_namespace("ipc").set("/linux/sysctl/kernel.shm_rmid_forced", "0");
  CHECK_FALSE(create(bundle).ok());
}

CASE("sysctl: an unknown parameter is an error") {
  CITE(
      "runtime.md#errors: Unless otherwise stated, generating an error MUST leave the state of the "
      "environment as if the operation were never attempted - modulo any possible trivial "
      "ancillary "
      "changes such as logging.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/linux/sysctl/net.ipv4.no_such_parameter", "1")).ok());
}

// ── scheduler ──
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
  if (contains(started.err, "realtimeRuntime")) return note_skip("needs real-time cgroup shares");
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

// ── I/O priority ──
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

// ── execCPUAffinity ──
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
