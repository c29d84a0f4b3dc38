// SPDX-License-Identifier: Apache-2.0
// What becomes of the container when a hook fails, hangs, or cannot be executed.
#include "hooked.h"

#include <signal.h>
#include <sys/syscall.h>

using namespace onggi::test;

namespace {

// The error is that of the hook. onggi's names it and has its output.
void check_error(const Outcome& outcome, const std::string& point) {
  CAPTURE(outcome.err);
  CHECK_FALSE(outcome.ok());
  CHECK_FALSE(outcome.err.empty());
  if (!is_onggi()) return;
  CHECK(contains(outcome.err, "hooks." + point + "[0]: "));
  CHECK(contains(outcome.err, "exited with status 7: why it failed"));
  CHECK(lines(outcome.err).size() == 1);
}

void check_failing_start(const std::string& point) {
  Hooked hooked;
  hooked.add(point, kFailing);
  hooked.add("poststop");
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  check_error(container.start(), point);
  CHECK(container.wait_exit(pid) >= 0);
  // runtime.md#lifecycle goes on with step 12, which destroys the container; engines delete what
  // they have created in any case.
  const std::string status = container.status();
  CHECK((status.empty() || status == "stopped"));
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == point + " poststop");
}

void check_failing_run(const std::string& point) {
  CAPTURE(point);
  Hooked hooked;
  hooked.add(point, kFailing);
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  check_error(container.run(), point);
  CHECK(container.status().empty());
}

}  // namespace

TEST_SUITE_BEGIN("hook_failure");

CASE("a failing hook makes create fail, and poststop runs (checklist 3)") {
  REQUIRES(root());
  DEVIATES("crun", "poststop hooks do not run");
  for (const std::string& point : kOfCreate) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, kFailing);
    hooked.add(point, {.then = {}, .name = "behind"});
    hooked.add("poststop");
    Container container(hooked.bundle());
    check_error(container.create(), point);
    CHECK(container.status().empty());
    CHECK(hooked.order() == point + " poststop");
  }
}

CASE("a failing hook makes create fail and leaves nothing") {
  REQUIRES(root());
  for (const std::string& point : kOfCreate) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, kFailing);
    Container container(hooked.bundle());
    check_error(container.create(), point);
    CHECK(container.status().empty());
    CHECK(descendants().empty());
    CHECK(tagged_cgroups().empty());
    hooked.bundle().erase("/hooks");
    CHECK(container.create().ok());  // the id is free
  }
}

CASE("a hook that fails later does not run the hooks behind it") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("createRuntime", kFailing);
  hooked.add("createContainer");
  CHECK_FALSE(create(hooked.bundle()).ok());
  CHECK(hooked.order() == "createRuntime");
}

CASE("a failing startContainer hook makes start fail and stops the container") {
  REQUIRES(root());
  DEVIATES("runc", kIgnored);
  DEVIATES("crun", kIgnored);
  check_failing_start("startContainer");
}

CASE("a failing poststart hook makes start fail and stops the container") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  EXCLUDES("crun", "1.8.1 ignores the failure");
  check_failing_start("poststart");
}

CASE("a failing startContainer hook keeps the program from running") {
  REQUIRES(root());
  DEVIATES("runc", kIgnored);
  DEVIATES("crun", kIgnored);
  Hooked hooked;
  hooked.add("startContainer", kFailing);
  hooked.bundle().guest({"echo", "the program"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK_FALSE(container.start().ok());
  CHECK(container.wait_exit(pid) >= 0);
  CHECK_FALSE(contains(container.output(), "the program"));
}

CASE("run fails with a failing hook and leaves nothing") {
  REQUIRES(root());
  for (const std::string& point : kOfCreate) check_failing_run(point);
  check_failing_run("startContainer");
}

CASE("run fails with a failing poststart hook and leaves nothing") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 ignores the failure");
  check_failing_run("poststart");
}

CASE("a failing poststop hook does not fail delete, and the next one runs") {
  REQUIRES(root());
  DEVIATES("runc", "the first failure ends the list");
  Hooked hooked;
  hooked.add("poststop", kFailing);
  hooked.add("poststop", {.then = {}, .name = "behind"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const Outcome removed = runtime({"delete", "--force", container.id()});
  CHECK(removed.ok());
  CHECK(container.status().empty());
  CHECK(hooked.order() == "poststop behind");
  if (is_onggi()) CHECK(contains(removed.err, "hooks.poststop[0]: "));
}

CASE("failing hooks are logged without being asked for: on standard error and in the log file") {
  REQUIRES(root());
  DEVIATES("runc", "has only the error of delete, and does not run the next hook");
  DEVIATES("crun", "1.8.1 says nothing of them");
  for (const bool started : {true, false}) {
    CAPTURE(started);
    Hooked hooked;
    if (started) hooked.add("poststart", kFailing);
    hooked.add("poststop", kFailing);
    hooked.add("poststop", kFailing);
    const std::string log = (hooked.bundle().path() / "log").string();
    Container container(hooked.bundle(), {"--log", log});
    // A create that fails runs them as well.
    if (!started) hooked.bundle().set("/process/cwd", "/bin/guest");
    const Outcome ended = started ? container.run() : container.create();
    CHECK_FALSE(ended.ok());
    CHECK(container.status().empty());
    const std::string logged = read_file(log);
    for (const char* place : {"hooks.poststop[0]: ", "hooks.poststop[1]: "}) {
      CHECK(contains(ended.err, place));
      CHECK(contains(logged, place));
    }
    if (started) CHECK(contains(logged, "hooks.poststart[0]: "));
  }
}

CASE(
    "a delete that is killed while a poststop hook runs can be repeated, and the hook runs again "
    "(checklist 3)") {
  REQUIRES(root());
  DEVIATES("runc", "removes the state before the hooks run");
  Hooked hooked;
  const ScratchDirectory notes("notes");
  const auto runs = notes.path() / "runs";
  // The first run lasts; the hook's own pid is in its line.
  hooked.add_script("poststop", "echo $$ >>$0; [ $(wc -l <$0) -gt 1 ] || exec sleep 1000", {runs});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  Process deleting(runtime_command({"delete", "--force", container.id()}));
  REQUIRE(eventually([&] { return read_file(runs).ends_with("\n"); }));
  deleting.kill(SIGKILL);
  (void)deleting.wait();
  CHECK(kill(atoi(read_file(runs).c_str()), SIGKILL) == 0);
  CHECK(container.status() == "stopped");
  CHECK(container.remove().ok());
  CHECK(container.status().empty());
  CHECK(lines(read_file(runs)).size() == 2);
}

CASE("a poststop hook that kills the delete cannot keep the container") {
  REQUIRES(root());
  DEVIATES("runc", "removes the state before the hooks run");
  DEVIATES("crun", "1.8.1 runs them each time");
  Hooked hooked;
  const ScratchDirectory notes("notes");
  const auto runs = notes.path() / "runs";
  hooked.add_script("poststop", "echo x >>$0; kill -9 $PPID", {runs});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK_FALSE(container.remove(true).ok());
  CHECK_FALSE(container.remove(true).ok());
  CHECK(container.remove(true).ok());
  CHECK(container.status().empty());
  CHECK(lines(read_file(runs)).size() == 2);
}

CASE("a run whose state cannot be removed fails and names the cure") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Hooked hooked;
  Container container(hooked.bundle());
  const auto obstacle = state_root() / container.id() / "obstacle";
  const auto mark = hooked.trace() / "mark";
  hooked.add_script("poststop", "[ -e $1 ] || mkdir -p $0/x $1", {obstacle, mark});
  const Outcome outcome = container.run();
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "use delete --force to remove what is left"));
  CHECK(std::filesystem::remove_all(obstacle) == 2);
  CHECK(container.status() == "stopped");
  CHECK(container.remove(true).ok());
}

CASE("what cannot be removed after run is left to delete --force, with its hooks") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(cgroup_controller("pids"));
  Hooked hooked;
  const ScratchDirectory notes("notes");
  const auto runs = notes.path() / "runs";
  hooked.add_script("poststop", "echo x >>$0", {runs});
  hooked.bundle().guest({"exit", "0"}).write();
  Container container(hooked.bundle());
  Spawn spawn;
  spawn.refused = {{.call = SYS_unlinkat, .errnum = EIO}};
  const Outcome outcome = container.run({}, spawn);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "use delete --force to remove what is left"));
  CHECK_FALSE(std::filesystem::exists(runs));
  CHECK(container.remove(true).ok());
  CHECK(read_file(runs) == "x\n");
}

CASE("a signal that does not end run waits for the program while a hook runs") {
  REQUIRES(root());
  EXCLUDES("runc", "runs poststart hooks before it forwards signals");
  EXCLUDES("crun", "runs poststart hooks before it forwards signals");
  Hooked hooked;
  const ScratchDirectory notes("notes");
  const auto begun = notes.path() / "begun", go = notes.path() / "go";
  hooked.add_script("poststart", "echo x >$0; until [ -e $1 ]; do sleep 0.01; done", {begun, go});
  hooked.bundle().guest({"signal-exit"}).write();
  Container container(hooked.bundle());
  Process running(
      runtime_command({"run", "--bundle", hooked.bundle().path().string(), container.id()}));
  REQUIRE(eventually([&] { return std::filesystem::exists(begun); }));
  REQUIRE(eventually([&] { return contains(running.output(), "ready"); }));
  running.kill(SIGUSR1);
  write_file(go, "");
  const Outcome outcome = running.wait();
  CHECK(outcome.ok());
  CHECK(contains(outcome.out, "signal 10\n"));
}

CASE("a hook that takes longer than its timeout is killed and has failed") {
  REQUIRES(root());
  for (const std::string& point : kAll) {
    if (point == "poststop") continue;
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, {.then = {"sleep", "1000"}, .timeout = 1});
    hooked.bundle().guest({"pause"});
    Container container(hooked.bundle());
    const Outcome outcome = container.run();
    CAPTURE(outcome.err);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) {
      CHECK(contains(outcome.err, "hooks." + point + "[0]: "));
      CHECK(contains(outcome.err, "did not exit within 1 second"));
    }
  }
}

CASE("a process that a hook leaves behind with its output open does not keep create") {
  REQUIRES(root());
  EXCLUDES("runc", "waits for the end of the output");
  Hooked hooked;
  const std::string file = (hooked.bundle().path() / "child.pid").string();
  hooked.add_script("createRuntime", "sleep 1000 & echo $! >$0", {file});
  Container container(hooked.bundle());
  CHECK(container.create().ok());
  const pid_t child = atoi(read_file(file).c_str());
  REQUIRE(child > 0);
  CHECK(kill(child, SIGKILL) == 0);
}

CASE("a process that a hook leaves behind and that never stops writing does not keep create") {
  REQUIRES(root());
  EXCLUDES("runc", "waits for the end of the output");
  EXCLUDES("crun", "gives hooks its own output, so that the process goes on");
  for (const std::string point : {"createRuntime", "createContainer"}) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add_script(point, "while :; do echo $0; done & echo started", {"on and on"});
    Container container(hooked.bundle());
    CHECK(container.create().ok());
  }
}

CASE("a createContainer hook ends with the create that is killed") {
  REQUIRES(root());
  EXCLUDES("runc", "leaves the hook");
  EXCLUDES("crun", "leaves the hook");
  Hooked hooked;
  hooked.bundle().drop_namespace("pid");
  const std::string file = (hooked.bundle().path() / "hook.pid").string();
  hooked.add_script("createContainer", "echo $$ >$0; exec sleep 1000", {file});
  hooked.bundle().write();
  Container container(hooked.bundle());
  Process creating(container.create_command());
  const bool runs = eventually([&] { return read_file(file).ends_with('\n'); });
  creating.kill(SIGKILL);
  const Outcome killed = creating.wait();
  REQUIRE_MESSAGE(runs, killed.err);
  const pid_t hook = atoi(read_file(file).c_str());
  REQUIRE(hook > 1);
  CHECK(eventually([&] { return kill(hook, 0) != 0; }));
  CHECK(container.remove(true).ok());
}

CASE("the path of a hook that does not exist is in the error") {
  REQUIRES(root());
  for (const std::string& point : kOfCreate) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add_json(point, R"({"path": "/no/such/hook"})");
    const Outcome outcome = create(hooked.bundle());
    CHECK_FALSE(outcome.ok());
    CHECK(contains(outcome.err, "/no/such/hook"));
    if (is_onggi()) CHECK(contains(outcome.err, "hooks." + point + "[0]: "));
  }
}

CASE("a relative path is refused") {
  REQUIRES(root());
  DEVIATES("runc", "looks for it in the working directory");
  DEVIATES("crun", "looks for it in PATH");
  for (const std::string& point : kAll) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add_json(point, R"({"path": "true"})");
    CHECK_FALSE(create(hooked.bundle()).ok());
  }
}

CASE("a timeout of zero or less is refused") {
  REQUIRES(root());
  DEVIATES("runc", "at once");
  DEVIATES("crun", "never");
  for (const char* timeout : {"0", "-1"}) {
    Hooked hooked;
    const std::string path = (hooked.bundle().rootfs() / "bin/guest").string();
    hooked.add_json("poststop", R"({"path": )" + json_string(path) +
                                    R"(, "args": ["guest", "exit", "0"], "timeout": )" + timeout +
                                    "}");
    CHECK_FALSE(create(hooked.bundle()).ok());
  }
}
TEST_SUITE_END();
