// SPDX-License-Identifier: Apache-2.0
// What the planner decides of interfaces, resctrl and long lists of CPUs and nodes.
#include "plan/build_resctrl.h"
#include "support.h"

namespace onggi::test {
namespace {

std::string document(const std::string& linux, const std::string& process = "") {
  return R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"}, "hostname": "a", "process":
             {"cwd": "/", "args": ["x"])" +
         process + R"(}, "linux": {"namespaces": [{"type": "mount"}, {"type": "network"},
             {"type": "uts"}], )" +
         linux + "}}";
}

plan::HostFacts resctrl_host() {
  plan::HostFacts facts = v2_host();
  facts.resctrl_known = true;
  facts.resctrl = "/sys/fs/resctrl";
  return facts;
}

plan::LaunchOptions named(const std::string& id) {
  plan::LaunchOptions options;
  options.id = id;
  return options;
}

plan::ResctrlPlan rdt(const std::string& members, const std::string& id = "web") {
  Result<plan::Plan> plan =
      plan_of(document("\"intelRdt\": {" + members + "}"), resctrl_host(), named(id));
  REQUIRE(plan);
  CHECK(plan->refused.empty());
  REQUIRE(plan->resctrl);
  return *plan->resctrl;
}

std::string error_of(const Result<plan::Plan>& plan) {
  if (!plan) return std::string(plan.error().place.view()) + ": " + plan.error().message.c_str();
  if (plan->refused.empty()) return "";
  const Error& first = plan->refused.front();
  return std::string(first.place.view()) + ": " + first.message.c_str() + " (" +
         first.hint.c_str() + ")";
}

template <class Record>
size_t position(const plan::Plan& plan) {
  size_t at = 0;
  while (at < plan.before_pivot.size() &&
         !std::holds_alternative<Record>(plan.before_pivot[at].action)) {
    at++;
  }
  return at;
}

TEST_CASE("interfaces move before the sysctls, those with a number to choose last") {
  Result<plan::Plan> plan = plan_of(document(R"("netDevices": {"a": {"name": "eth%d"},
      "b": {"name": "eth0"}, "c": {}}, "sysctl": {"net.ipv4.conf.eth0.forwarding": "1"})"),
                                    v2_host());
  REQUIRE(plan);
  CHECK(plan->refused.empty());
  std::string names;
  for (const plan::NetDevice& device : plan->net_devices)
    names += device.place + " " + device.host_name + " " + device.name + "\n";
  CHECK(names == "linux.netDevices.b b eth0\nlinux.netDevices.c c c\nlinux.netDevices.a a eth%d\n");
  CHECK(position<plan::BringUpLoopback>(*plan) < position<plan::AwaitNetDevices>(*plan));
  CHECK(position<plan::AwaitNetDevices>(*plan) < position<plan::WriteProc>(*plan));
  CHECK(position<plan::WriteProc>(*plan) < plan->before_pivot.size());
  CHECK(plan::print(*plan).find("linux.netDevices.a        move in as eth%d\n") !=
        std::string::npos);
}

TEST_CASE("without netDevices nobody waits for them") {
  Result<plan::Plan> plan = plan_of(document(R"("netDevices": {})"), v2_host());
  REQUIRE(plan);
  CHECK(position<plan::AwaitNetDevices>(*plan) == plan->before_pivot.size());
}

TEST_CASE("intelRdt without closID has the id's directory, which goes with the container") {
  const plan::ResctrlPlan plan = rdt(R"("memBwSchema": "MB:0=20", "l3CacheSchema": "L3:0=f",
                                        "schemata": ["L2:0=3", "MB:0=30"])");
  CHECK(plan.group == "web");
  CHECK(plan.create);
  CHECK(plan.remove);
  CHECK(plan.monitor.empty());
  std::string schemata;
  for (const plan::Schema& schema : plan.schemata)
    schemata += schema.place + " " + schema.text + "\n";
  CHECK(schemata ==
        "linux.intelRdt.l3CacheSchema L3:0=f\nlinux.intelRdt.memBwSchema MB:0=20\n"
        "linux.intelRdt.schemata[0] L2:0=3\nlinux.intelRdt.schemata[1] MB:0=30\n");
}

TEST_CASE("intelRdt with closID makes a class only by schemata, and never removes one") {
  CHECK_FALSE(rdt(R"("closID": "gold")").create);
  const plan::ResctrlPlan made = rdt(R"("closID": "gold", "schemata": ["L3:0=f"])");
  CHECK(made.group == "gold");
  CHECK(made.create);
  CHECK_FALSE(made.remove);
  const plan::ResctrlPlan root = rdt(R"("closID": "/", "enableMonitoring": true)");
  CHECK(root.group.empty());
  CHECK_FALSE(root.create);
  CHECK(root.monitor == "web");
}

TEST_CASE("intelRdt does not touch what resctrl has of its own") {
  const auto planned = [](const std::string& members, const std::string& id) {
    return error_of(
        plan_of(document("\"intelRdt\": {" + members + "}"), resctrl_host(), named(id)));
  };
  const std::string own = "\" is reserved by resctrl";
  CHECK(planned(R"("closID": "info")", "web") == "linux.intelRdt.closID: \"info" + own);
  CHECK(planned("", "mon_groups") == "linux.intelRdt.closID: \"mon_groups" + own);
  CHECK(planned(R"("closID": "a", "enableMonitoring": true)", "mon_data") ==
        "linux.intelRdt.enableMonitoring: \"mon_data\", the container id, is reserved by resctrl");
}

TEST_CASE("intelRdt is refused where resctrl is not mounted") {
  plan::HostFacts facts = v2_host();
  const std::string config = document(R"("intelRdt": {"closID": "a"})");
  CHECK(error_of(plan_of(config, facts)) ==
        "linux.intelRdt: this host has no resctrl filesystem (resctrl requires a CPU with Intel "
        "RDT or AMD QoS, and CONFIG_X86_CPU_RESCTRL)");
  facts.resctrl_known = true;
  CHECK(error_of(plan_of(config, facts)) ==
        "linux.intelRdt: no resctrl filesystem is mounted (mount it: mount -t resctrl resctrl "
        "/sys/fs/resctrl)");
  CHECK(error_of(plan_of(document("\"sysctl\": {}"), facts)) == "");
}

TEST_CASE("more than 1024 CPUs and nodes reach the kernel whole (checklist 35)") {
  Result<plan::Plan> plan = plan_of(
      document(R"("memoryPolicy": {"mode": "MPOL_BIND", "nodes": " 0 , 1500-1501"}, "resources":
                  {"cpu": {"cpus": "0-2047", "mems": "0,1024-1100"}})",
               R"(, "execCPUAffinity": {"initial": "0-4095"})"),
      v2_host());
  REQUIRE(plan);
  CHECK(plan->refused.empty());
  const auto nodes = plan->pool.view()(plan->handoff.memory_policy.nodes);
  REQUIRE(nodes.size() == 24);
  CHECK(nodes[0] == 1);
  CHECK(nodes[23] == uint64_t{3} << (1500 % 64));
  std::string settings;
  for (const plan::CgroupSetting& setting : plan->cgroup.settings)
    settings += setting.file + " " + setting.value + "\n";
  CHECK(settings.find("cpuset.cpus 0-2047\ncpuset.mems 0,1024-1100\n") != std::string::npos);
}

struct SchemataChange {
  const char* configured;  // linux.intelRdt; nullptr: none
  std::string cache, bandwidth;
};

Result<plan::ResctrlPlan> changed(const SchemataChange& change,
                                  const plan::HostFacts& facts = resctrl_host()) {
  std::optional<spec::IntelRdt> configured;
  std::optional<spec::Spec> spec;
  if (change.configured != nullptr) {
    spec = spec::parse(document("\"intelRdt\": " + std::string(change.configured))).value();
    configured = spec->linux.intel_rdt;
  }
  spec::IntelRdt wanted;
  wanted.l3_cache_schema = change.cache;
  wanted.mem_bw_schema = change.bandwidth;
  return plan::build_resctrl_update(wanted, configured, "web", facts);
}

std::string refusal_of(const SchemataChange& change,
                       const plan::HostFacts& facts = resctrl_host()) {
  const Result<plan::ResctrlPlan> plan = changed(change, facts);
  if (plan) return "";
  return std::string(plan.error().place.view()) + ": " + plan.error().message.c_str();
}

TEST_CASE("new schemata are one write to the class that the container is in") {
  const Result<plan::ResctrlPlan> own = changed({"{}", "L3:0=f", "MB:0=20"});
  REQUIRE(own);
  CHECK(own->mount_point == "/sys/fs/resctrl");
  CHECK(own->group == "web");
  REQUIRE(own->schemata.size() == 1);
  CHECK(own->schemata[0].place == "--l3-cache-schema");
  CHECK(own->schemata[0].text == "L3:0=f\nMB:0=20");
  CHECK(changed({R"({"closID": "gold"})", "L3:0=f", ""})->group == "gold");
  CHECK(changed({R"({"closID": "/"})", "", "MB:0=20"})->group == "");
  CHECK(changed({"{}", "", "MB:0=20"})->schemata[0].place == "--mem-bw-schema");
}

TEST_CASE("new schemata that cannot be are refused by the name of their option") {
  CHECK(refusal_of({nullptr, "L3:0=f", ""}) ==
        "--l3-cache-schema: the container has no class of service");
  CHECK(refusal_of({nullptr, "", "MB:0=20"}) ==
        "--mem-bw-schema: the container has no class of service");
  for (const char* wrong : {"L3:0=f", "MB:0=20\nL3:0=1"}) {
    CAPTURE(wrong);
    CHECK(refusal_of({"{}", "", wrong}) ==
          "--mem-bw-schema: must be one line that begins with \"MB:\"");
  }
  CHECK(refusal_of({"{}", "L3:0=f", ""}, v2_host()) ==
        "--l3-cache-schema: this host has no resctrl filesystem");
}

}  // namespace
}  // namespace onggi::test
