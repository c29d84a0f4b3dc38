// SPDX-License-Identifier: Apache-2.0
// Limits bite: each case says what happens to a program that runs into one, with every cgroup
// driver of the host. What the files hold is the subject of other suites.
#include "support/drivers.h"
#include "support/suite.h"
#include "support/unit.h"

#include <sys/sysinfo.h>

#include <csignal>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kLittle = "33554432";
constexpr const char* kMuch = "134217728";

// Memory and swap together, as far as the kernel counts swap.
std::string memory_limit(const char* bytes) {
  const bool swap =
      fs::exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes") || cgroup_v2().met;
  return std::string(R"({"limit": )") + bytes + (swap ? R"(, "swap": )" + std::string(bytes) : "") +
         "}";
}

// A container of one driver.
struct Limited {
  explicit Limited(const Driver& driver, const std::string& resources, const Strings& words)
      : container(bundle, driver.options) {
    bundle.set_json("/linux/resources", resources).guest(words);
  }
  void create() {
    const Outcome created = container.create();
    REQUIRE_MESSAGE(created.ok(), created.err);
    pid = container.pid();
  }
  void start() {
    create();
    const Outcome started = container.start();
    REQUIRE_MESSAGE(started.ok(), started.err);
  }
  Outcome exec(const Strings& words) const {
    Strings command = {"exec", container.id(), "/bin/guest"};
    command.insert(command.end(), words.begin(), words.end());
    return runtime(command);
  }
  Bundle bundle;
  Container container;
  pid_t pid = 0;
};

// Two devices that need not exist, and rules that allow the one or the other.
constexpr const char* kFirstAlone = R"({"devices": [{"allow": false, "access": "rwm"},
  {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}]})";
constexpr const char* kAllButFirst = R"({"devices": [{"allow": true, "access": "rwm"},
  {"allow": false, "type": "c", "major": 10, "minor": 229, "access": "rw"}]})";

struct WithDevices : Limited {
  explicit WithDevices(const Driver& driver) : Limited(driver, kFirstAlone, {"pause"}) {
    bundle.set_json("/linux/devices", R"([
      {"type": "c", "path": "/dev/first", "major": 10, "minor": 229},
      {"type": "c", "path": "/dev/second", "major": 10, "minor": 183}])");
    start();
  }
  // "first ", "second ", both or none.
  std::string denied() const {
    const std::string out =
        exec({"open", "/dev/first", "rw", "--", "open", "/dev/second", "rw"}).out;
    std::string names;
    for (const std::string name : {"first", "second"})
      if (contains(out, "open /dev/" + name + ": EPERM")) names += name + " ";
    return names;
  }
};

}  // namespace

TEST_SUITE_BEGIN("limits");

CASE("a program over its memory limit is killed") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"memory": )" + memory_limit(kLittle) + "}", {"eat-memory", kMuch});
    CHECK(limited.container.run().status == 128 + SIGKILL);
  }
}

CASE("an exec that fails is not put down to memory that ran out before") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(onggi_only());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"memory": )" + memory_limit(kLittle) + "}", {"pause"});
    limited.start();
    CHECK(limited.exec({"eat-memory", kMuch}).status == 128 + SIGKILL);
    const std::string document = limited.bundle.path() / "process.json";
    write_file(document,
               R"({"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["/bin/guest", "echo", ")" +
                   std::string(140'000, 'x') + "\"]}");
    const Outcome outcome = runtime({"exec", "--process", document, limited.container.id()});
    CHECK(outcome.status == 255);
    CHECK(contains(outcome.err, "argument list too long"));
    CHECK_FALSE(contains(outcome.err, "out of memory"));
  }
}

CASE("events reports a kill for want of memory and ends with the container") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  EXCLUDES("crun", "has no such command");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"memory": )" + memory_limit(kLittle) + "}", {"eat-memory", kMuch});
    limited.create();
    Process events(runtime_command({"events", limited.container.id()}));
    REQUIRE(eventually([&] { return contains(events.output(), "\"stats\""); }));
    REQUIRE(limited.container.start().ok());
    // systemd removes the cgroup with its last process, and the kernel's count with it.
    if (!driver.is_systemd) CHECK(eventually([&] { return contains(events.output(), "\"oom\""); }));
    REQUIRE(limited.container.wait_status("stopped"));
    if (is_onggi()) CHECK(events.wait().ok());
    if (!is_onggi()) events.kill(SIGTERM);
  }
}

CASE("events reports that a process was killed whose container goes on") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(cgroup_controller("memory"));
  EXCLUDES("crun", "has no such command");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"memory": )" + memory_limit(kMuch) + "}", {"pause"});
    limited.start();
    // An hour between statistics: what comes sooner has come from the kernel.
    Process events(runtime_command({"events", "--interval", "1h", limited.container.id()}));
    REQUIRE(limited.container.wait_output("ready"));
    if (is_onggi()) REQUIRE(eventually([&] { return contains(events.output(), "\"stats\""); }));
    REQUIRE(limited.container.update(R"({"memory": )" + memory_limit(kLittle) + "}").ok());
    CHECK(limited.exec({"eat-memory", kMuch}).status == 128 + SIGKILL);
    CHECK(eventually([&] { return contains(events.output(), "\"oom\""); }));
    CHECK(limited.container.status() == "running");
    events.kill(SIGTERM);
  }
}

CASE("events --stats prints one document with what the kernel counts") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  REQUIRES(cgroup_controller("cpu"));
  REQUIRES(cgroup_controller("pids"));
  EXCLUDES("crun", "has no such command");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"memory": {"limit": 134217728}, "pids": {"limit": 100}})",
                    {"pause"});
    limited.create();
    const Outcome outcome = runtime({"events", "--stats", limited.container.id()});
    REQUIRE(outcome.ok());
    const rapidjson::Document event = parse_json(outcome.out);
    REQUIRE(event.IsObject());
    CHECK(std::string(event["type"].GetString()) == "stats");
    CHECK(std::string(event["id"].GetString()) == limited.container.id());
    const auto& data = event["data"];
    CHECK(data["memory"]["usage"]["limit"].GetUint64() == 134217728);
    CHECK(data["memory"]["usage"]["usage"].GetUint64() > 0);
    CHECK(data["memory"]["raw"].MemberCount() > 10);
    CHECK(data["cpu"]["usage"]["total"].GetUint64() > 0);
    CHECK(data["pids"]["current"].GetUint64() >= 1);  // runc's init has threads
    CHECK(data["pids"]["limit"].GetUint64() == 100);
  }
}

CASE("events --stats has the pressure of each resource, where the kernel counts it") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(file("/proc/pressure/memory"));
  EXCLUDES("runc", "1.1.5 has no pressure");
  EXCLUDES("crun", "has no such command");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, "{}", {"pause"});
    limited.create();
    const rapidjson::Document event =
        parse_json(runtime({"events", "--stats", limited.container.id()}).out);
    REQUIRE(event.HasMember("data"));
    for (const char* resource : {"cpu", "memory", "blkio"}) {
      CAPTURE(resource);
      const auto& part = event["data"][resource];
      REQUIRE(part.HasMember("psi"));
      for (const char* kind : {"some", "full"}) {
        CHECK(part["psi"][kind]["avg10"].IsNumber());
        CHECK(part["psi"][kind]["total"].IsUint64());
      }
    }
  }
}

CASE("a program that forks without end gets no further than its limit, which update moves") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(cgroup_controller("pids"));
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"pids": {"limit": 5}})", {"fork", "20", "--", "pause"});
    limited.start();
    REQUIRE(limited.container.wait_output("ready"));
    CHECK(value_of(limited.container.output(), "fork") == "4 EAGAIN");
    CHECK(cgroup_value(limited.pid, "pids", "pids.max", "pids.max") == "5");
    CHECK(limited.container.update(R"({"pids": {"limit": 9}})").ok());
    // One of the nine waits, one forks.
    CHECK(limited.exec({"fork", "20"}).out == "fork 7 EAGAIN\n");
  }
}

CASE("a program stays on its cpus, which update changes") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(cgroup_controller("cpuset"));
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"cpu": {"cpus": "0", "mems": "0"}})", {"cpus", "--", "pause"});
    limited.start();
    REQUIRE(limited.container.wait_output("ready"));
    CHECK(value_of(limited.container.output(), "cpus") == "0");
    if (get_nprocs() < 2) continue;
    CHECK(limited.container.update(R"({"cpu": {"cpus": "1"}})").ok());
    CHECK(limited.exec({"cpus"}).out == "cpus 1\n");
  }
}

CASE("a program that takes more than its share of time is held back") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"cpu": {"quota": 5000, "period": 50000}})", {"spin"});
    limited.start();
    const fs::path counts = cgroup_directory(limited.pid, "cpu") / "cpu.stat";
    CHECK(eventually([&] { return std::stoul(value_of(read_file(counts), "nr_throttled")) > 1; }));
    CHECK(limited.container.kill("KILL").ok());
  }
}

CASE("device rules are applied in order, and hold when systemd reads its units anew") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const WithDevices limited(driver);
    CHECK(limited.denied() == "second ");
    if (!driver.is_systemd) continue;
    REQUIRE(systemctl({"daemon-reload"}).ok());
    CHECK(limited.denied() == "second ");
  }
}

// VPN clients and user-mode networks in a container need it; a rule of the engine cannot take it
// away.
CASE("a TUN device can be opened without a rule for it") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(file("/dev/net/tun"));
  DEVIATES("crun", "before 1.20 denies it");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    Limited limited(driver, R"({"devices": [{"allow": false, "access": "rwm"}]})", {"pause"});
    limited.bundle.set_json("/linux/devices",
                            R"([{"type": "c", "path": "/dev/net/tun", "major": 10, "minor": 200},
                                {"type": "c", "path": "/dev/loop", "major": 10, "minor": 237}])");
    limited.start();
    CHECK(limited.exec({"open", "/dev/net/tun", "rw"}).out == "open /dev/net/tun: ok\n");
    CHECK(limited.exec({"open", "/dev/loop", "rw"}).out == "open /dev/loop: EPERM\n");
  }
}

CASE("update replaces the device rules, and they hold when systemd reads its units anew") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  EXCLUDES("runc", "1.1.5 ignores the devices of an update");
  EXCLUDES("crun", "1.8.1 ignores the devices of an update on cgroup v1");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const WithDevices limited(driver);
    CHECK(limited.container.update(kAllButFirst).ok());
    CHECK(limited.denied() == "first ");
    CHECK(limited.container.update(R"({"pids": {"limit": 50}})").ok());
    CHECK(limited.denied() == "first ");
    if (driver.is_systemd) REQUIRE(systemctl({"daemon-reload"}).ok());
    CHECK(limited.denied() == "first ");
    CHECK(limited.container.update(kFirstAlone).ok());
    CHECK(limited.denied() == "second ");
  }
}

TEST_SUITE_END();
