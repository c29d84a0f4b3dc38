// SPDX-License-Identifier: Apache-2.0
// runtime.md#lifecycle: the thirteen steps, their order, and what a failure means at each.
#include "support/hooked.h"
#include "support/waiting.h"

using namespace onggi::test;

namespace {

// The hook behind a failing one does not run, poststop does, and nothing of the container stays.
void check_failing_create(const std::string& point) {
  Hooked hooked;
  hooked.add(point, kFailing);
  hooked.add(point, {.then = {}, .name = "behind"});
  hooked.add("poststop");
  Container container(hooked.bundle());
  const Outcome created = container.create();
  CHECK_FALSE(created.ok());
  CHECK_FALSE(created.err.empty());
  CHECK(container.status().empty());
  CHECK(hooked.order() == point + " poststop");
}

void check_failing_start(const std::string& point) {
  Hooked hooked;
  hooked.add(point, kFailing);
  hooked.add("poststop");
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  const Outcome started = container.start();
  CHECK_FALSE(started.ok());
  CHECK_FALSE(started.err.empty());
  CHECK(container.wait_exit(pid) >= 0);
  const std::string status = container.status();
  CHECK((status.empty() || status == "stopped"));
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == point + " poststop");
}

// Fails at the first failed check, so that a runtime without the hook does not wait in vain.
void check_invoked_by_create(const std::string& point) {
  Hooked hooked;
  hooked.add(point);
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(hooked.order() == point);
}

std::string mountinfo(const Container& container) {
  return read_file("/proc/" + std::to_string(container.pid()) + "/mountinfo");
}

}  // namespace

TEST_SUITE_BEGIN("runtime_lifecycle");

CASE("step 1: create takes a bundle and an id, and the container has both") {
  CITE(
      "runtime.md#lifecycle: OCI compliant runtime's create command is invoked with a reference "
      "to the location of the bundle and a unique identifier.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const rapidjson::Document state = container.document();
  CHECK(state["id"].GetString() == container.id());
  CHECK(state["bundle"].GetString() == bundle.path().string());
}

CASE("step 2: the mounts are there before start") {
  CITE(
      "runtime.md#lifecycle: While the resources requested in the config.json MUST be created, "
      "the user-specified program (from process) MUST NOT be run at this time.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle.add_mount("/data", "tmpfs", "tmpfs").guest({"echo", "ran"}));
  REQUIRE(container.create().ok());
  CHECK(contains(mountinfo(container), " /data "));
  CHECK(contains(mountinfo(container), " /proc "));
  CHECK(container.output().empty());
}

CASE("step 2: the root is that of the config before start") {
  CITE(
      "runtime.md#lifecycle: The container's runtime environment MUST be created according to "
      "the configuration in config.json.");
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "mark", "of this root");
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(read_file("/proc/" + std::to_string(container.pid()) + "/root/mark") == "of this root");
}

CASE("step 2: the cgroup and its limits are there before start") {
  CITE(
      "runtime.md#lifecycle: The container's runtime environment MUST be created according to "
      "the configuration in config.json.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  Container container(bundle.set("/linux/resources/pids/limit", 17));
  REQUIRE(container.create().ok());
  CHECK(cgroup_value(container.pid(), "pids", "pids.max", "pids.max") == "17");
}

CASE("step 2: an environment that cannot be made is an error, and nothing is left of it") {
  CITE(
      "runtime.md#lifecycle: If the runtime is unable to create the environment specified in the "
      "config.json, it MUST generate an error.");
  REQUIRES(root());
  const Snapshot before;
  Bundle bundle;
  Container container(bundle.add_bind("/data", "/no/such/directory"));
  CHECK_FALSE(container.create().ok());
  CHECK(container.status().empty());
  CHECK(before.left_behind().empty());
}

CASE("step 2: hooks and annotations are those that config.json had at create") {
  CITE(
      "runtime.md#lifecycle: Any updates to config.json after this step MUST NOT affect the "
      "container.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 runs poststart hooks at the end of create");
  Hooked hooked;
  for (const char* point : {"startContainer", "poststart", "poststop"}) hooked.add(point);
  hooked.bundle().set("/annotations/com.example.key", "first");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(hooked.order().empty());
  Bundle other;
  write_file(hooked.bundle().config(), other.set("/annotations/com.example.key", "second").text());
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(std::string(container.document()["annotations"]["com.example.key"].GetString()) == "first");
  CHECK(container.remove().ok());
  for (const char* point : {"startContainer", "poststart", "poststop"}) {
    CAPTURE(point);
    CHECK(hooked.has_run(point));
  }
}

CASE("step 2: a config.json that is gone or broken after create does no harm") {
  CITE(
      "runtime.md#lifecycle: Any updates to config.json after this step MUST NOT affect the "
      "container.");
  REQUIRES(root());
  for (const bool is_gone : {true, false}) {
    CAPTURE(is_gone);
    Waiting waiting;
    REQUIRE(waiting.created);
    if (is_gone) {
      std::filesystem::remove(waiting.bundle.config());
    } else {
      write_file(waiting.bundle.config(), "{broken");
    }
    CHECK(waiting.start());
    CHECK(waiting.container.status() == "running");
    CHECK(waiting.end());
    CHECK(waiting.container.remove().ok());
  }
}

CASE("step 3: create invokes the prestart hooks") {
  CITE("runtime.md#lifecycle: The prestart hooks MUST be invoked by the runtime.");
  REQUIRES(root());
  check_invoked_by_create("prestart");
}

CASE("step 3: a failing prestart hook is an error and goes on with steps 12 and 13") {
  CITE(
      "runtime.md#lifecycle: If any prestart hook fails, the runtime MUST generate an error, "
      "stop the container, and continue the lifecycle at step 12.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not run the poststop hooks then");
  check_failing_create("prestart");
}

CASE("step 4: create invokes the createRuntime hooks") {
  CITE("runtime.md#lifecycle: The createRuntime hooks MUST be invoked by the runtime.");
  REQUIRES(root());
  check_invoked_by_create("createRuntime");
}

CASE("step 4: a failing createRuntime hook is an error and goes on with steps 12 and 13") {
  CITE(
      "runtime.md#lifecycle: If any createRuntime hook fails, the runtime MUST generate an "
      "error, stop the container, and continue the lifecycle at step 12.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not run the poststop hooks then");
  check_failing_create("createRuntime");
}

CASE("step 5: create invokes the createContainer hooks") {
  CITE("runtime.md#lifecycle: The createContainer hooks MUST be invoked by the runtime.");
  REQUIRES(root());
  check_invoked_by_create("createContainer");
}

CASE("step 5: a failing createContainer hook is an error and goes on with steps 12 and 13") {
  CITE(
      "runtime.md#lifecycle: If any createContainer hook fails, the runtime MUST generate an "
      "error, stop the container, and continue the lifecycle at step 12.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not run the poststop hooks then");
  check_failing_create("createContainer");
}

CASE("steps 3 to 5: an id is free again after a failing hook") {
  CITE(
      "runtime.md#errors: Unless otherwise stated, generating an error MUST leave the state of "
      "the environment as if the operation were never attempted - modulo any possible trivial "
      "ancillary changes such as logging.");
  REQUIRES(root());
  for (const std::string point : {"prestart", "createRuntime", "createContainer"}) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, kFailing);
    Container container(hooked.bundle());
    CHECK_FALSE(container.create().ok());
    hooked.bundle().erase("/hooks");
    CHECK(container.create().ok());
  }
}

CASE("step 6: start takes the id that create was given") {
  CITE(
      "runtime.md#lifecycle: Runtime's start command is invoked with the unique identifier of "
      "the container.");
  REQUIRES(root());
  Waiting first, second;
  REQUIRE(second.start());
  CHECK(first.container.status() == "created");
  CHECK(second.container.status() == "running");
}

CASE("step 7: start invokes the startContainer hooks, create does not") {
  CITE("runtime.md#lifecycle: The startContainer hooks MUST be invoked by the runtime.");
  REQUIRES(root());
  Hooked hooked;
  hooked.add("startContainer");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(hooked.order().empty());
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(hooked.order() == "startContainer");
}

CASE("step 7: a failing startContainer hook is an error and stops the container") {
  CITE(
      "runtime.md#lifecycle: If any startContainer hook fails, the runtime MUST generate an "
      "error, stop the container, and continue the lifecycle at step 12.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 start succeeds whatever the hook did");
  DEVIATES("crun", "1.8.1 start succeeds whatever the hook did");
  check_failing_start("startContainer");
}

CASE("step 8: start runs the program of process, once") {
  CITE(
      "runtime.md#lifecycle: The runtime MUST run the user-specified program, as specified by "
      "process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.writable_root().guest({"write", "/ran", "x", "--", "echo", "ran"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK_FALSE(std::filesystem::exists(bundle.rootfs() / "ran"));
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(std::filesystem::exists(bundle.rootfs() / "ran"));
  CHECK(lines(container.output()).size() == 2);
}

CASE("step 9: start invokes the poststart hooks, create does not") {
  CITE("runtime.md#lifecycle: The poststart hooks MUST be invoked by the runtime.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 runs poststart hooks at the end of create");
  Hooked hooked;
  hooked.add("poststart");
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(hooked.order().empty());
  REQUIRE(container.start().ok());
  CHECK(hooked.order() == "poststart");
}

CASE("step 9: a failing poststart hook is an error and stops the container") {
  CITE(
      "runtime.md#lifecycle: If any poststart hook fails, the runtime MUST generate an error, "
      "stop the container, and continue the lifecycle at step 12.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 runs poststart hooks at the end of create");
  EXCLUDES("crun", "1.8.1 ignores the failure, as the specification before 1.3.0 asked");
  check_failing_start("poststart");
}

CASE("step 10: the process may exit, be killed or crash, and the container is stopped") {
  CITE(
      "runtime.md#lifecycle: This MAY happen due to erroring out, exiting, crashing or the "
      "runtime's kill operation being invoked.");
  REQUIRES(root());
  const std::vector<Strings> endings = {{"exit", "3"}, {"crash"}, {"pause"}};
  for (const Strings& ending : endings) {
    CAPTURE(ending[0]);
    Bundle bundle;
    bundle.guest(ending);
    Container container(bundle);
    REQUIRE(container.create().ok());
    const pid_t pid = container.pid();
    REQUIRE(container.start().ok());
    if (ending[0] == "pause") {
      REQUIRE(container.wait_output("ready"));
      CHECK(container.kill("KILL").ok());
    }
    CHECK(container.wait_exit(pid) > 0);
    CHECK(container.status() == "stopped");
    CHECK(container.remove().ok());
  }
}

CASE("step 11: a stopped container stays until delete") {
  CITE(
      "runtime.md#lifecycle: Runtime's delete command is invoked with the unique identifier of "
      "the container.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  CHECK(waiting.container.status() == "stopped");
  CHECK(waiting.container.remove().ok());
  CHECK(waiting.container.status().empty());
}

CASE("step 12: what step 2 made is undone") {
  CITE(
      "runtime.md#lifecycle: The container MUST be destroyed by undoing the steps performed "
      "during create phase (step 2).");
  REQUIRES(root());
  const Snapshot before;
  Waiting waiting;
  REQUIRE(waiting.start());
  const std::filesystem::path cgroup = cgroup_directory(waiting.pid, "memory");
  CHECK(std::filesystem::exists(cgroup));
  REQUIRE(waiting.end());
  REQUIRE(waiting.container.remove().ok());
  CHECK_FALSE(std::filesystem::exists(cgroup));
  CHECK(before.left_behind().empty());
}

CASE("step 13: delete invokes the poststop hooks, after the end of the program") {
  CITE("runtime.md#lifecycle: The poststop hooks MUST be invoked by the runtime.");
  REQUIRES(root());
  Hooked hooked;
  hooked.add("poststop");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(hooked.order().empty());
  CHECK(container.remove().ok());
  CHECK(hooked.order() == "poststop");
  CHECK(hooked.status("poststop") == "stopped");
}

CASE("step 13: a failing poststop hook is a warning, and the next one runs") {
  CITE(
      "runtime.md#lifecycle: If any poststop hook fails, the runtime MUST log a warning, but the "
      "remaining hooks and lifecycle continue as if the hook had succeeded.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 fails and does not run the next one");
  DEVIATES("crun", "1.8.1 says nothing of it");
  Hooked hooked;
  hooked.add("poststop", kFailing);
  hooked.add("poststop", {.then = {}, .name = "behind"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  const Outcome removed = container.remove();
  CHECK(removed.ok());
  CHECK_FALSE(removed.err.empty());
  CHECK(container.status().empty());
  CHECK(hooked.order() == "poststop behind");
}

CASE("all steps in their order") {
  CITE(
      "runtime.md#lifecycle: The lifecycle describes the timeline of events that happen from "
      "when a container is created to when it ceases to exist.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 runs poststart hooks at the end of create");
  EXCLUDES("crun", "1.8.1 runs poststart at times before startContainer has ended");
  Hooked hooked;
  for (const char* point :
       {"poststop", "poststart", "startContainer", "createContainer", "createRuntime", "prestart"})
    hooked.add(point);
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(hooked.order() == "prestart createRuntime createContainer");
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.remove().ok());
  CHECK(hooked.order() ==
        "prestart createRuntime createContainer startContainer poststart poststop");
}

TEST_SUITE_END();
