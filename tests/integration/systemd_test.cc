// SPDX-License-Identifier: Apache-2.0
// --systemd-cgroup: the unit as systemd shows it, the kernel's files as it leaves them, and that
// both go with the container. On a host where systemd runs; the one case for the others says so.
#include "support/drivers.h"
#include "support/suite.h"
#include "support/unit.h"

#include <signal.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// A container with a name of its own for its scope: "onggi-<tag>-<name>.scope".
struct Scoped {
  explicit Scoped(const std::string& name, const std::string& slice = "system.slice")
      : unit("onggi-" + tag() + "-" + name + ".scope") {
    bundle.set("/linux/cgroupsPath", slice + ":onggi:" + tag() + "-" + name).guest({"pause"});
  }
  bool create() { return (outcome = container.create()).ok(); }
  fs::path cgroup() const { return cgroup_directory(container.pid(), "memory"); }

  Bundle bundle;
  std::string unit;
  Container container{bundle, {"--systemd-cgroup"}};
  Outcome outcome;
};

// What stands in for a slice of this test alone: slices stay when their last unit has gone.
struct Slices {
  explicit Slices(Strings given) : names(std::move(given)) {}
  ~Slices() {
    for (const std::string& name : names) systemctl({"stop", name});
  }
  Slices(const Slices&) = delete;
  Slices& operator=(const Slices&) = delete;
  Strings names;
};

// A slice's name without a dash, which would be a step down.
std::string word() {
  std::string text;
  for (const char c : tag()) text += c == '-' ? 'x' : c;
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("systemd");

CASE("without systemd its cgroup manager is refused before anything is made (checklist 27)") {
  REQUIRES(root());
  REQUIRES(no_systemd());
  EXCLUDES("runc", "fails later, and in words of its own");
  EXCLUDES("crun", "fails later, and in words of its own");
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", "system.slice:onggi:" + tag());
  for (const Strings& option :
       {Strings{"--systemd-cgroup"}, Strings{"--cgroup-manager", "systemd"}}) {
    Container container(bundle, option);
    const Outcome refused = container.create();
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, "create " + container.id() + ": --systemd-cgroup: "));
    CHECK(contains(refused.err, "use --cgroup-manager cgroupfs, which does not require systemd"));
    CHECK(lines(refused.err).size() == 1);
    CHECK_FALSE(fs::exists(state_root() / container.id()));
    CHECK(tagged_cgroups().empty());
  }
}

CASE("a scope in its slice, which the container is in and which goes with it (checklist 27)") {
  REQUIRES(root());
  REQUIRES(systemd());
  Scoped scoped("simple");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  CHECK(shown(scoped.unit, "ActiveState") == "active");
  CHECK(shown(scoped.unit, "Slice") == "system.slice");
  CHECK(shown(scoped.unit, "Delegate") == "yes");
  CHECK(shown(scoped.unit, "DefaultDependencies") == "no");
  CHECK(contains(scoped.cgroup().string(), "/system.slice/" + scoped.unit));
  CHECK(scoped.container.start().ok());
  CHECK(scoped.container.remove(true).ok());
  CHECK(eventually([&] { return !loaded(scoped.unit); }));
  CHECK(eventually([] { return tagged_cgroups().empty(); }));
}

CASE("limits are systemd's and the kernel's") {
  REQUIRES(root());
  REQUIRES(systemd());
  REQUIRES(cgroup_v2());
  DEVIATES("runc", "1.1.5 has no IOWeight");
  DEVIATES("crun", "1.8.1 has no IOWeight and sets no AllowedCPUs");
  Scoped scoped("limits");
  scoped.bundle.set_json("/linux/resources", R"({
    "memory": {"limit": 67108864, "reservation": 33554432, "swap": 134217728},
    "cpu": {"shares": 1024, "quota": 50500, "period": 100000, "cpus": "0"},
    "pids": {"limit": 50}, "blockIO": {"weight": 500}})");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  const fs::path cgroup = scoped.cgroup();
  const auto check = [&](const char* property, const char* value, const char* file,
                         const char* content) {
    CAPTURE(property);
    CHECK(shown(scoped.unit, property) == value);
    CHECK(cgroup_file(cgroup, file) == content);
  };
  check("MemoryMax", "67108864", "memory.max", "67108864");
  check("MemoryLow", "33554432", "memory.low", "33554432");
  check("MemorySwapMax", "67108864", "memory.swap.max", "67108864");
  check("CPUQuotaPeriodUSec", "100ms", "cpu.max", "50500 100000");
  check("CPUQuotaPerSecUSec", "510ms", "cpu.max", "50500 100000");
  check("TasksMax", "50", "pids.max", "50");
  check("AllowedCPUs", "0", "cpuset.cpus", "0");
  CHECK(shown(scoped.unit, "IOWeight") == "4950");
}

CASE("limits and devices outlive a daemon-reload") {
  REQUIRES(root());
  REQUIRES(systemd());
  REQUIRES(cgroup_v2());
  REQUIRES(file("/dev/net/tun"));
  DEVIATES("runc", "1.1.5 leaves a unit that systemd wants to reload");
  DEVIATES("crun", "1.8.1 tells systemd of no devices");
  Scoped scoped("reload");
  scoped.bundle.set_json("/linux/resources", R"({
    "memory": {"limit": 67108864}, "pids": {"limit": 50}, "unified": {"memory.high": "50331648"},
    "devices": [{"allow": false, "access": "rwm"},
                {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "rwm"}]})");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  const fs::path cgroup = scoped.cgroup();
  CHECK(shown(scoped.unit, "NeedDaemonReload") == "no");
  CHECK(openable_in(cgroup) == "zero tun kmsg ");
  REQUIRE(systemctl({"daemon-reload"}).ok());
  CHECK(openable_in(cgroup) == "zero tun kmsg ");
  CHECK(cgroup_file(cgroup, "memory.max") == "67108864");
  CHECK(cgroup_file(cgroup, "memory.high") == "50331648");
  CHECK(cgroup_file(cgroup, "pids.max") == "50");
  const std::string devices = shown(scoped.unit, "DeviceAllow");
  CHECK(shown(scoped.unit, "DevicePolicy") == "strict");
  CHECK(contains(devices, "/dev/char/1:11 rwm"));
  CHECK(contains(devices, "/dev/char/10:200 rwm"));
  CHECK(shown(scoped.unit, "NeedDaemonReload") == "no");
}

CASE("a unit that exists is named and left alone") {
  REQUIRES(root());
  REQUIRES(systemd());
  EXCLUDES("runc", "1.1.5 goes into the unit that exists");
  Scoped scoped("twice"), second("twice");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  CHECK_FALSE(second.create());
  CHECK(contains(second.outcome.err, scoped.unit));
  CHECK(shown(scoped.unit, "ActiveState") == "active");
  CHECK(scoped.container.status() == "created");
  CHECK(scoped.container.remove(true).ok());
  REQUIRE_MESSAGE(second.create(), second.outcome.err);
  CHECK(second.container.remove(true).ok());
}

CASE("a slice with dashes is a slice in a slice") {
  REQUIRES(root());
  REQUIRES(systemd());
  const std::string outer = word() + ".slice", inner = word() + "-in.slice";
  const Slices slices({inner, outer});
  Scoped scoped("nested", inner);
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  CHECK(contains(scoped.cgroup().string(), "/" + outer + "/" + inner + "/" + scoped.unit));
  CHECK(scoped.container.remove(true).ok());
}

CASE("the root slice is written as a dash") {
  REQUIRES(root());
  REQUIRES(systemd());
  DEVIATES("runc", "1.1.5 takes -.slice only");
  DEVIATES("crun", "1.8.1 takes the dash for a name");
  Scoped scoped("root", "-");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  CHECK(shown(scoped.unit, "Slice") == "-.slice");
  CHECK(scoped.cgroup().filename() == scoped.unit);
  CHECK(scoped.container.remove(true).ok());
}

CASE("a name that is a slice's makes a slice") {
  REQUIRES(root());
  REQUIRES(systemd());
  REQUIRES(cgroup_v2());
  EXCLUDES("runc", "starts the process outside of the slice");
  EXCLUDES("crun", "makes a scope of it");
  const std::string slice = word() + "-pod.slice";
  const Slices slices({slice, word() + ".slice"});
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", word() + ".slice:ignored:" + slice).guest({"pause"});
  bundle.set("/linux/resources/pids/limit", 20);
  Container container(bundle, {"--systemd-cgroup"});
  const Outcome created = container.create();
  REQUIRE_MESSAGE(created.ok(), created.err);
  CHECK(shown(slice, "TasksMax") == "20");
  CHECK(cgroup_directory(container.pid(), "pids").filename() == slice);
  CHECK(container.remove(true).ok());
  CHECK(shown(slice, "ActiveState") == "inactive");
}

CASE("annotations are properties of the unit") {
  REQUIRES(root());
  REQUIRES(systemd());
  Scoped scoped("noted");
  scoped.bundle.set_json("/annotations", R"({
    "org.systemd.property.TimeoutStopSec": "uint64 7", "org.systemd.property.SendSIGHUP": "true",
    "org.systemd.property.Description": "'a name of its own'"})");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  CHECK(shown(scoped.unit, "TimeoutStopUSec") == "7s");
  CHECK(shown(scoped.unit, "SendSIGHUP") == "yes");
  CHECK(scoped.container.remove(true).ok());
}

CASE("an annotation that is no property is named before anything is made") {
  REQUIRES(root());
  REQUIRES(systemd());
  EXCLUDES("crun", "takes what it cannot parse for text");
  for (const auto& [name, value] : {std::pair("TimeoutStopSec", "soon"), std::pair("A", "true"),
                                    std::pair("SendSIGHUP", "yes")}) {
    CAPTURE(name);
    Scoped scoped("wrong");
    const std::string key = std::string("org.systemd.property.") + name;
    scoped.bundle.set("/annotations/" + key, value);
    CHECK_FALSE(scoped.create());
    CHECK(contains(scoped.outcome.err, key));
    CHECK_FALSE(loaded(scoped.unit));
  }
}

CASE("a property that systemd refuses is an error that leaves nothing") {
  REQUIRES(root());
  REQUIRES(systemd());
  Scoped scoped("refused");
  scoped.bundle.set("/annotations/org.systemd.property.NoSuchThing", "true");
  CHECK_FALSE(scoped.create());
  CHECK(contains(scoped.outcome.err, "NoSuchThing"));
  CHECK(eventually([&] { return !loaded(scoped.unit); }));
  CHECK(tagged_cgroups().empty());
}

CASE("update changes systemd's mind and the kernel's") {
  REQUIRES(root());
  REQUIRES(systemd());
  REQUIRES(cgroup_v2());
  DEVIATES("crun", "1.8.1 tells systemd nothing");
  Scoped scoped("update");
  scoped.bundle.set_json("/linux/resources",
                         R"({"memory": {"limit": 67108864}, "pids": {"limit": 50},
                             "cpu": {"quota": 50000, "period": 50000}})");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  const fs::path cgroup = scoped.cgroup();
  CHECK(scoped.container.update(R"({"memory": {"limit": 134217728}, "pids": {"limit": 30}})").ok());
  CHECK(shown(scoped.unit, "MemoryMax") == "134217728");
  CHECK(shown(scoped.unit, "TasksMax") == "30");
  CHECK(systemctl({"daemon-reload"}).ok());
  CHECK(cgroup_file(cgroup, "memory.max") == "134217728");
  CHECK(cgroup_file(cgroup, "pids.max") == "30");
  CHECK(cgroup_file(cgroup, "cpu.max") == "50000 50000");
}

CASE("an update of the quota alone keeps the period, and both outlive what systemd makes of them") {
  REQUIRES(root());
  REQUIRES(systemd());
  REQUIRES(cgroup_v2());
  EXCLUDES("runc", "takes the period for the default of 100 ms");
  EXCLUDES("crun", "takes the period for the default of 100 ms");
  Scoped scoped("quota");
  scoped.bundle.set_json("/linux/resources", R"({"cpu": {"quota": 50000, "period": 50000}})");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  CHECK(scoped.container.update(R"({"cpu": {"quota": 10100}})").ok());
  CHECK(cgroup_file(scoped.cgroup(), "cpu.max") == "10100 50000");
  CHECK(shown(scoped.unit, "CPUQuotaPerSecUSec") == "210ms");
  CHECK(shown(scoped.unit, "CPUQuotaPeriodUSec") == "50ms");
}

CASE("an update that the kernel refuses leaves systemd's values, too") {
  REQUIRES(root());
  REQUIRES(systemd());
  REQUIRES(cgroup_v2());
  EXCLUDES("runc", "has told systemd already");
  EXCLUDES("crun", "has told systemd already");
  Scoped scoped("back");
  scoped.bundle.set_json("/linux/resources", R"({"pids": {"limit": 50}})");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  const Outcome refused =
      scoped.container.update(R"({"pids": {"limit": 30}, "cpu": {"cpus": "9999"}})");
  CHECK_FALSE(refused.ok());
  CHECK(contains(refused.err, "linux.resources.cpu.cpus"));
  CHECK(shown(scoped.unit, "TasksMax") == "50");
  CHECK(cgroup_file(scoped.cgroup(), "pids.max") == "50");
}

CASE("state names the unit") {
  REQUIRES(root());
  REQUIRES(systemd());
  EXCLUDES("runc", "does not");
  Scoped scoped("state");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  const rapidjson::Document state = scoped.container.document();
  REQUIRE(state.HasMember("systemd-scope"));
  CHECK(std::string(state["systemd-scope"].GetString()) == scoped.unit);
}

CASE("the unit of a run is gone when the program has ended") {
  REQUIRES(root());
  REQUIRES(systemd());
  Scoped scoped("run");
  scoped.bundle.guest({"exit", "3"});
  CHECK(scoped.container.run().status == 3);
  CHECK(eventually([&] { return !loaded(scoped.unit); }));
  CHECK(eventually([] { return tagged_cgroups().empty(); }));
}

CASE("a create that fails after its unit was made leaves no unit") {
  REQUIRES(root());
  REQUIRES(systemd());
  Scoped scoped("failing");
  scoped.bundle.set_json("/hooks/createContainer", R"([{"path": "/bin/false"}])");
  CHECK_FALSE(scoped.create());
  CHECK(eventually([&] { return !loaded(scoped.unit); }));
  CHECK(eventually([] { return tagged_cgroups().empty(); }));
}

CASE("a create that is killed leaves no unit after delete --force") {
  REQUIRES(root());
  REQUIRES(systemd());
  EXCLUDES("runc", "leaves processes, cgroups or mounts that delete cannot find");
  EXCLUDES("crun", "leaves processes, cgroups or mounts that delete cannot find");
  for (long attempt = 0; attempt < 12; attempt++) {
    Scoped scoped("killed");
    scoped.bundle.write();
    Process creating(scoped.container.create_command());
    const timespec delay = {0, attempt * 12'000'000};
    nanosleep(&delay, nullptr);
    creating.kill(SIGKILL);
    (void)creating.wait();
    CHECK(scoped.container.remove(true).ok());
    CHECK(eventually([&] { return !loaded(scoped.unit); }));
    const bool again = scoped.create();
    CHECK_MESSAGE(again, scoped.outcome.err);
    CHECK(scoped.container.remove(true).ok());
  }
}

CASE("what a dead init leaves in its scope is ended without asking") {
  REQUIRES(root());
  REQUIRES(systemd());
  Scoped scoped("leftover");
  // In the host's pid namespace nothing ends with init.
  scoped.bundle.drop_namespace("pid");
  scoped.bundle.set("/annotations/org.systemd.property.TimeoutStopSec", "uint64 600");
  REQUIRE_MESSAGE(scoped.create(), scoped.outcome.err);
  const fs::path cgroup = scoped.cgroup();
  // A process of ours stands in for one of the container's: it ignores SIGTERM.
  Process stubborn({"/bin/sh", "-c", "trap '' TERM; while :; do sleep 1; done"});
  write_file(cgroup / (cgroup_v2().met ? "cgroup.procs" : "tasks"), std::to_string(stubborn.pid()));
  const pid_t pid = scoped.container.pid();
  kill(pid, SIGKILL);
  CHECK(scoped.container.wait_exit(pid) == 128 + SIGKILL);
  CHECK(scoped.container.remove(true).ok());
  CHECK(stubborn.wait().status == 128 + SIGKILL);
  CHECK(eventually([&] { return !loaded(scoped.unit); }));
}

TEST_SUITE_END();
