// SPDX-License-Identifier: Apache-2.0
// The end of what is in a container's cgroup and not in a pid namespace that would end it, with
// every cgroup driver of the host.
#include "support/drivers.h"
#include "support/suite.h"

#include <signal.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// A container in the pid namespace of the host.
struct Shared {
  Shared(const Driver& driver, const Strings& words) : container(bundle, driver.options) {
    bundle.guest(words).drop_namespace("pid");
    const Outcome created = container.create();
    REQUIRE_MESSAGE(created.ok(), created.err);
    pid = container.pid();
    REQUIRE(container.start().ok());
  }
  std::string child() const { return value_of(container.output(), "child"); }
  fs::path cgroup(std::string_view controller) const { return cgroup_directory(pid, controller); }
  // Cgroups of the container's own making, the deepest with this process; all the controllers'
  // directories are one on v2.
  void make_below(const std::string& path, const std::string& process = {}) const {
    for (const std::string controller : {"freezer", "pids", "memory"}) {
      const fs::path below = cgroup(controller) / path;
      if (!fs::create_directories(below)) break;
      if (!process.empty()) write_file(below / "cgroup.procs", process);
    }
  }
  void freeze() const {
    const bool v2 = cgroup_v2().met;
    write_file(cgroup("freezer") / (v2 ? "cgroup.freeze" : "freezer.state"), v2 ? "1" : "FROZEN");
    CHECK(container.wait_status("paused"));
  }
  Bundle bundle;
  Container container;
  pid_t pid = 0;
};

Need freezer() {
  return {cgroup_controller("freezer").met, "needs a freezer"};
}

bool all_gone() {
  return eventually([] { return descendants().empty(); });
}

}  // namespace

TEST_SUITE_BEGIN("cgroup_kill");

CASE("kill --all signals every process of the container (checklist 6)") {
  REQUIRES(root());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"leave-child", "--", "signal-exit"});
    REQUIRE(shared.container.wait_output("ready"));
    REQUIRE(descendants().size() == 2);
    CHECK(runtime({"kill", "--all", shared.container.id(), "SIGTERM"}).ok());
    CHECK(shared.container.wait_exit(shared.pid) == 0);
    CHECK(value_of(shared.container.output(), "signal") == "15");
    CHECK(all_gone());
  }
}

CASE("kill --all reaches the processes in sub-cgroups") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  EXCLUDES("crun", "1.8.1 does not look below the container's cgroup on v1");
  for (const Driver& driver : drivers()) {
    for (const char* signal : {"SIGTERM", "SIGKILL"}) {
      CAPTURE(driver.name);
      CAPTURE(signal);
      const Shared shared(driver, {"leave-child", "--", "pause"});
      REQUIRE(shared.container.wait_output("ready"));
      shared.make_below("a/b", shared.child());
      CHECK(runtime({"kill", "--all", shared.container.id(), signal}).ok());
      CHECK(shared.container.wait_exit(shared.pid) > 128);
      CHECK(all_gone());
    }
  }
}

CASE("kill --all of a stopped container succeeds") {
  REQUIRES(root());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"echo"});
    CHECK(shared.container.wait_exit(shared.pid) == 0);
    CHECK(runtime({"kill", "--all", shared.container.id(), "KILL"}).ok());
  }
}

CASE(
    "SIGKILL without a pid namespace of its own ends processes that are gone when they are named") {
  REQUIRES(root());
  REQUIRES(freezer());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"respawn", "--", "pause"});
    REQUIRE(shared.container.wait_output("ready"));
    CHECK(runtime({"kill", "--all", shared.container.id(), "KILL"}).ok());
    CHECK(shared.container.wait_exit(shared.pid) == 128 + SIGKILL);
    CHECK(all_gone());
  }
}

CASE("SIGKILL ends a frozen container (checklist 28)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves it frozen on v1");
  REQUIRES(freezer());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"pause"});
    REQUIRE(shared.container.wait_output("ready"));
    shared.freeze();
    CHECK_FALSE(shared.container.remove().ok());
    CHECK(shared.container.kill("KILL").ok());
    CHECK(shared.container.wait_exit(shared.pid) == 128 + SIGKILL);
    CHECK(shared.container.status() == "stopped");
  }
}

CASE("SIGKILL ends what a container in the host's pid namespace has left, and says so") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 kills nothing then; newer versions do");
  DEVIATES("crun", "1.8.1 does not know a container without its first process");
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"leave-child"});
    CHECK(shared.container.wait_exit(shared.pid) == 0);
    const pid_t child = atoi(shared.child().c_str());
    REQUIRE(child > 0);
    CHECK(shared.container.kill("KILL").ok());
    CHECK(eventually([&] { return kill(child, 0) != 0 || all_gone(); }));
    if (is_onggi()) CHECK_FALSE(shared.container.kill("KILL").ok());
  }
}

CASE("delete --force kills what a container in the host's pid namespace has left (checklist 28)") {
  REQUIRES(root());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"leave-child"});
    CHECK(shared.container.wait_exit(shared.pid) == 0);
    const pid_t child = atoi(shared.child().c_str());
    REQUIRE(child > 0);
    CHECK(kill(child, 0) == 0);
    CHECK(shared.container.remove(true).ok());
    CHECK(all_gone());
  }
}

CASE(
    "delete --force ends processes that a dead init has left, however fast they follow each "
    "other") {
  REQUIRES(root());
  REQUIRES(freezer());
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"respawn"});
    CHECK(shared.container.wait_exit(shared.pid) == 0);
    const Outcome removed = shared.container.remove(true);
    CHECK_MESSAGE(removed.ok(), removed.err);
    CHECK(all_gone());
  }
}

CASE("delete --force ends a frozen container with processes in sub-cgroups (checklist 28)") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"leave-child", "--", "pause"});
    REQUIRE(shared.container.wait_output("ready"));
    const fs::path directory = shared.cgroup("freezer");
    shared.make_below("sub", shared.child());
    shared.freeze();
    CHECK(shared.container.remove(true).ok());
    CHECK(all_gone());
    CHECK_FALSE(fs::exists(directory));
  }
}

CASE("delete removes the cgroups that a stopped container has made below its own") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  for (const Driver& driver : drivers()) {
    CAPTURE(driver.name);
    const Shared shared(driver, {"pause"});
    const fs::path directory = shared.cgroup("pids");
    shared.make_below("a/b/c");
    shared.make_below("d");
    CHECK(shared.container.kill("KILL").ok());
    CHECK(shared.container.wait_exit(shared.pid) == 128 + SIGKILL);
    CHECK(shared.container.remove().ok());
    CHECK_FALSE(fs::exists(directory));
  }
}

TEST_SUITE_END();
