// SPDX-License-Identifier: Apache-2.0
// pause, resume and ps: the processes of a container that runs.
#include "support/suite.h"

using namespace onggi::test;

namespace {

std::string freezer_state(pid_t pid) {
  return cgroup_value(pid, "freezer", "freezer.state", "cgroup.freeze");
}

Outcome ps(const Container& container, Strings options) {
  Strings command = {"ps"};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(container.id());
  return runtime(command);
}

struct Running {
  explicit Running(const Strings& words) {
    bundle.guest(words);
    REQUIRE(container.create().ok());
    REQUIRE(container.start().ok());
    pid = container.pid();
  }
  Bundle bundle;
  Container container{bundle};
  pid_t pid = 0;
};

}  // namespace

TEST_SUITE_BEGIN("pause");

CASE("a paused container does not run until it is resumed") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("freezer"));
  const Running running({"signal-exit"});
  REQUIRE(running.container.wait_output("ready"));
  CHECK(running.container.command("pause").ok());
  CHECK(running.container.status() == "paused");
  const std::string state = freezer_state(running.pid);
  CHECK((state == "FROZEN" || state == "1"));
  // The signal is delivered, but nobody is there to take it.
  CHECK(running.container.kill("USR1").ok());
  CHECK(running.container.status() == "paused");
  CHECK(running.container.command("resume").ok());
  CHECK(running.container.wait_status("stopped"));
}

CASE("pause and resume refuse what is in the wrong state") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("freezer"));
  const Running running({"pause"});
  if (runtime_name() == "crun") note_deviation("resume", "1.8.1 resumes what is not paused");
  const Outcome not_paused = running.container.command("resume");
  if (runtime_name() != "crun") CHECK_FALSE(not_paused.ok());
  if (is_onggi()) CHECK(contains(not_paused.err, "container not paused"));
  CHECK(running.container.command("pause").ok());
  if (is_onggi()) CHECK_FALSE(running.container.command("pause").ok());
  CHECK(running.container.command("resume").ok());
  CHECK(running.container.kill("KILL").ok());
  CHECK(running.container.wait_status("stopped"));
  CHECK_FALSE(running.container.command("pause").ok());
  CHECK_FALSE(running.container.command("resume").ok());
  CHECK_FALSE(runtime({"pause", "nobody"}).ok());
}

CASE("a container that is created and not started can be paused") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("freezer"));
  Bundle bundle;
  bundle.guest({"exit", "7"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(container.command("pause").ok());
  CHECK(container.command("resume").ok());
  CHECK(container.status() == "created");
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 7);
}

CASE("a paused container can be killed and deleted by force") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("freezer"));
  const Running running({"pause"});
  REQUIRE(running.container.command("pause").ok());
  CHECK(running.container.remove(true).ok());
}

CASE("ps lists host pids as JSON") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  const Running running({"pause"});
  const Outcome outcome = ps(running.container, {"--format", "json"});
  const rapidjson::Document pids = parse_json(outcome.out);
  REQUIRE(pids.IsArray());
  REQUIRE(pids.Size() == 1);
  CHECK(pids[0].GetInt() == running.pid);
}

CASE("ps prints the table of ps(1) with the container's processes only") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  REQUIRES(file("/usr/bin/ps"));
  const Running running({"pause"});
  const Outcome table = ps(running.container, {});
  CHECK(table.ok());
  if (!is_onggi()) return;
  CHECK(lines(table.out).size() == 2);
  CHECK(contains(table.out, "PID"));
  CHECK(contains(table.out, std::to_string(running.pid)));
  const Outcome chosen = runtime({"ps", running.container.id(), "-o", "pid,args"});
  CHECK(lines(chosen.out).size() == 2);
  CHECK(contains(chosen.out, "pause"));
  const Outcome without = runtime({"ps", running.container.id(), "-o", "args"});
  CHECK_FALSE(without.ok());
  CHECK(contains(without.err, "no PID column"));
}

CASE("ps of a stopped container is an empty list") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  DEVIATES("crun", "1.8.1 fails");
  const Running running({"exit", "0"});
  REQUIRE(running.container.wait_status("stopped"));
  const Outcome outcome = ps(running.container, {"-f", "json"});
  CHECK(outcome.ok());
  const std::string text = outcome.out.substr(0, outcome.out.find('\n'));
  CHECK((text == "[]" || text == "null"));
}

TEST_SUITE_END();
