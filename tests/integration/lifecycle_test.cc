// SPDX-License-Identifier: Apache-2.0
// create, start, state, kill, delete: the right order, and every call in the wrong state. The
// phrases are those that engines look for in the error text.
#include "support/suite.h"

#include <signal.h>

#include <algorithm>

using namespace onggi::test;

namespace {

// One line on standard error, exit status 1, and onggi's own form "onggi: COMMAND ID: ...".
void check_refused(const Outcome& outcome, const std::string& command, const std::string& id) {
  CHECK(outcome.status == 1);
  CHECK_FALSE(outcome.err.empty());
  if (is_onggi()) {
    CHECK(lines(outcome.err).size() == 1);
    CHECK(outcome.err.starts_with("onggi: " + command + " " + id + ": "));
  }
}

}  // namespace

TEST_SUITE_BEGIN("lifecycle");

CASE("a container goes from created to running to stopped") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"signal-exit", "--", "exit", "3"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.status() == "created");
  CHECK(container.output().empty());
  const pid_t pid = container.pid();
  CHECK(pid > 0);
  CHECK(container.start().ok());
  CHECK(container.wait_output("ready"));
  CHECK(container.status() == "running");
  CHECK(container.pid() == pid);
  CHECK(container.kill("TERM").ok());
  CHECK(container.wait_exit(pid) == 3);
  CHECK(container.output() == "ready\nsignal 15\n");
  CHECK(container.status() == "stopped");
  CHECK(container.remove().ok());
  CHECK_FALSE(container.state().ok());
}

CASE("create does not run the program") {
  REQUIRES(root());
  Bundle bundle;
  bundle.writable_root().guest({"write", "/ran", "yes"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK_FALSE(std::filesystem::exists(bundle.rootfs() / "ran"));
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(std::filesystem::exists(bundle.rootfs() / "ran"));
}

CASE("every command says that an unknown container does not exist") {
  REQUIRES(root());
  const std::string id = tag() + "-nobody";
  for (const std::string command : {"state", "start", "kill", "delete"}) {
    CAPTURE(command);
    const Outcome outcome = runtime({command, id});
    check_refused(outcome, command, id);
    if (runtime_name() != "crun") CHECK(contains(outcome.err, "does not exist"));
  }
}

CASE("delete --force of an unknown container succeeds") {
  REQUIRES(root());
  CHECK(runtime({"delete", "--force", tag() + "-nobody"}).ok());
}

CASE("a second create with the same id fails and names the id") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const Outcome again = run_program(container.create_command());
  check_refused(again, "create", container.id());
  if (is_onggi()) CHECK(contains(again.err, container.id()));
  CHECK(contains(again.err, "exist"));
  CHECK(container.status() == "created");
}

CASE("start of a running container fails and leaves it running") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  CHECK(container.wait_output("ready"));
  const Outcome again = container.start();
  check_refused(again, "start", container.id());
  if (runtime_name() != "crun")
    CHECK(contains(again.err, "cannot start an already running container"));
  CHECK(container.status() == "running");
}

CASE("start of a stopped container fails") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  const Outcome again = container.start();
  check_refused(again, "start", container.id());
  if (runtime_name() != "crun")
    CHECK(contains(again.err, "cannot start a container that has stopped"));
}

CASE("start of a container killed before its start fails") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(container.kill("KILL").ok());
  CHECK(container.wait_exit(pid) == 137);
  CHECK(container.status() == "stopped");
  CHECK_FALSE(container.start().ok());
}

CASE("delete of a running container fails and leaves it running") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  const Outcome refused = container.remove();
  check_refused(refused, "delete", container.id());
  if (runtime_name() != "crun") CHECK(contains(refused.err, "not stopped"));
  if (is_onggi()) CHECK(contains(refused.err, "running"));
  CHECK(container.status() == "running");
}

CASE("kill of a stopped container says that it is not running") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  const Outcome refused = container.kill("TERM");
  check_refused(refused, "kill", container.id());
  CHECK(
      (contains(refused.err, "container not running") || contains(refused.err, "No such process")));
  if (is_onggi()) CHECK(contains(refused.err, "container not running"));
}

CASE("kill takes names, numbers and names with SIG (checklist 6)") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"signal-exit"});
  struct Row {
    const char* given;
    const char* seen;
  };
  for (const Row& row :
       {Row{"TERM", "15"}, Row{"SIGUSR1", "10"}, Row{"12", "12"}, Row{"HUP", "1"}}) {
    CAPTURE(std::string(row.given));
    Container container(bundle);
    REQUIRE(container.create().ok());
    const pid_t pid = container.pid();
    REQUIRE(container.start().ok());
    REQUIRE(container.wait_output("ready"));
    CHECK(container.kill(row.given).ok());
    CHECK(container.wait_exit(pid) == 0);
    CHECK(value_of(container.output(), "signal") == row.seen);
  }
}

CASE("kill takes lower-case names") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 sends signal 0 instead");
  Bundle bundle;
  bundle.guest({"signal-exit"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  REQUIRE(container.wait_output("ready"));
  CHECK(container.kill("term").ok());
  CHECK(container.wait_exit(pid) == 0);
}

CASE("kill without a signal sends SIGTERM (checklist 6)") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"signal-exit"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  REQUIRE(container.wait_output("ready"));
  CHECK(container.command("kill").ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(value_of(container.output(), "signal") == "15");
}

CASE("kill refuses a signal that does not exist") {
  REQUIRES(root());
  DEVIATES("runc", "an empty signal is SIGTERM for it");
  DEVIATES("crun", "reads a number with trailing text, and 0 from text without one");
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  for (const std::string signal : {"NOPE", "SIG", "1000", "-1", "", "9x"}) {
    CAPTURE(signal);
    CHECK_FALSE(runtime({"kill", "--", container.id(), signal}).ok());
  }
  CHECK(container.status() == "created");
}

CASE("a created container can be killed") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(container.kill("9").ok());
  CHECK(container.wait_exit(pid) == 137);
  CHECK(container.status() == "stopped");
  CHECK(container.remove().ok());
}

CASE("delete --force works in every state") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  SUBCASE("created") {
    Container container(bundle);
    REQUIRE(container.create().ok());
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
  }
  SUBCASE("running") {
    Container container(bundle);
    REQUIRE(container.create().ok());
    REQUIRE(container.start().ok());
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
  }
  SUBCASE("stopped") {
    Container container(bundle);
    REQUIRE(container.create().ok());
    CHECK(container.kill("KILL").ok());
    CHECK(container.wait_status("stopped"));
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
  }
}

CASE("delete of a created container removes it") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.remove().ok());
  CHECK(container.status().empty());
}

CASE("the id is free again after delete") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  for (int round = 0; round < 3; round++) {
    CHECK(container.create().ok());
    CHECK(container.remove(true).ok());
  }
}

CASE("changes of config.json after create have no effect") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "as created"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  write_file(bundle.config(), "{}");
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "as created\n");
  std::filesystem::remove(bundle.config());
  CHECK(container.state().ok());
  CHECK(container.remove().ok());
}

CASE("--pid-file holds the pid of the first process") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  const auto path = bundle.path() / "the.pid";
  REQUIRE(container.create({"--pid-file", path.string()}).ok());
  CHECK(atoi(read_file(path).c_str()) == container.pid());
}

CASE("a relative --pid-file is relative to the caller's working directory (checklist 9)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes it as relative to the bundle");
  Bundle bundle;
  const ScratchDirectory elsewhere("cwd");
  Container container(bundle);
  Spawn spawn;
  spawn.directory = elsewhere.path().string();
  REQUIRE(container.create({"--pid-file", "relative.pid"}, spawn).ok());
  CHECK(atoi(read_file(elsewhere.path() / "relative.pid").c_str()) == container.pid());
}

CASE("--pid-file replaces the file, so that nobody reads half a number (checklist 9)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 writes into the file that is there");
  Bundle bundle;
  const auto path = bundle.path() / "the.pid", old = bundle.path() / "old.pid";
  write_file(path, "4711");
  std::filesystem::create_hard_link(path, old);
  Container container(bundle);
  REQUIRE(container.create({"--pid-file", path.string()}).ok());
  CHECK(read_file(path) == std::to_string(container.pid()));
  CHECK(read_file(old) == "4711");
}

CASE("an unwritable --pid-file makes create fail and leaves nothing") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  CHECK(container.create({"--pid-file", "/no/such/directory/pid"}).status == 1);
  CHECK(container.status().empty());
}

CASE("a link beside the pid file is not followed") {
  REQUIRES(root());
  Bundle bundle;
  const ScratchDirectory shared("shared");
  const auto precious = bundle.path() / "precious";
  write_file(precious, "yes");
  const auto path = shared.path() / "the.pid";
  for (const std::string name : {"the.pid.tmp", ".the.pid"})
    std::filesystem::create_symlink(precious, shared.path() / name);
  Container container(bundle);
  (void)container.create({"--pid-file", path.string()});
  CHECK(read_file(precious) == "yes");
  if (is_onggi()) CHECK(read_file(path) == std::to_string(container.pid()));
}

CASE("two creates with the same id: exactly one wins") {
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 has no lock: both fail and a process and cgroups stay");
  EXCLUDES("crun", "1.8.1 has no lock");
  Bundle bundle;
  bundle.guest({"pause"}).write();
  for (int round = 0; round < rounds(10); round++) {
    const Container container(bundle);
    Process first(container.create_command()), second(container.create_command());
    const Outcome one = first.wait(), two = second.wait();
    CHECK(one.ok() != two.ok());
    CHECK(container.status() == "created");
    CHECK(container.remove(true).ok());
  }
}

CASE("two starts at once: exactly one wins") {
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 has no lock: the second start hangs at times");
  EXCLUDES("crun", "1.8.1 has no lock: the second start hangs at times");
  Bundle bundle;
  bundle.guest({"pause"});
  for (int round = 0; round < rounds(10); round++) {
    Container container(bundle);
    REQUIRE(container.create().ok());
    const Strings command = runtime_command({"start", container.id()});
    Process first(command), second(command);
    const Outcome one = first.wait(), two = second.wait();
    CHECK(one.ok() != two.ok());
    CHECK(container.wait_output("ready"));
    CHECK(lines(container.output()).size() == 1);
    CHECK(container.remove(true).ok());
  }
}

CASE("a delete and a start at once end with nothing left") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 has no lock: the start hangs at times");
  EXCLUDES("runc", "1.1.5 has no lock: the start hangs at times");
  Bundle bundle;
  bundle.guest({"pause"});
  for (int round = 0; round < rounds(10); round++) {
    Container container(bundle);
    REQUIRE(container.create().ok());
    Process starting(runtime_command({"start", container.id()}));
    Process deleting(runtime_command({"delete", "--force", container.id()}));
    (void)starting.wait();
    (void)deleting.wait();
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
  }
}

CASE("a signal that would end a program ends a created container") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1: the kernel ignores the signal, and it stays created");
  Bundle others;
  others.guest({"pause"});
  Container owner(others);
  REQUIRE(owner.create().ok());
  const std::string joined = "/proc/" + std::to_string(owner.pid()) + "/ns/pid";
  for (const std::string& path : Strings{"", "/proc/self/ns/pid", joined}) {
    CAPTURE(path);
    Bundle bundle;
    bundle.guest({"pause"}).set_namespace("pid", path);
    Container container(bundle);
    REQUIRE(container.create().ok());
    const pid_t pid = container.pid();
    CHECK(container.kill("CONT").ok());
    CHECK(container.status() == "created");
    CHECK(container.kill("TERM").ok());
    CHECK(container.wait_status("stopped"));
    const int status = container.wait_exit(pid);
    if (is_onggi()) CHECK(status == 128 + SIGTERM);
    CHECK_FALSE(container.start().ok());
    CHECK(container.remove().ok());
  }
}

TEST_SUITE_END();
