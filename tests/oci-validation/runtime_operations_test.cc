// SPDX-License-Identifier: Apache-2.0
// runtime.md#operations and #errors: each operation in each state, and that errors have no effect.
#include "support/waiting.h"

#include <signal.h>

using namespace onggi::test;

namespace {

// An operation on an id that has never been, or is no more.
void check_unknown(const std::string& id) {
  for (const Strings& words : {Strings{"state", id}, Strings{"start", id}, Strings{"delete", id},
                               Strings{"kill", id, "TERM"}}) {
    CAPTURE(words[0]);
    const Outcome outcome = runtime(words);
    CHECK_FALSE(outcome.ok());
    CHECK(outcome.out.empty());
    CHECK_FALSE(outcome.err.empty());
  }
}

// create fails, and nothing is there that was not there before: the id is free.
void check_refused(const Bundle& bundle) {
  const Snapshot before;
  Container container(bundle);
  const Outcome outcome = container.create();
  CHECK_FALSE(outcome.ok());
  CHECK_FALSE(outcome.err.empty());
  CHECK(container.status().empty());
  CHECK(before.left_behind().empty());
}

Outcome create_at(const std::string& bundle, const std::string& id) {
  return runtime({"create", "--bundle", bundle, id});
}

}  // namespace

TEST_SUITE_BEGIN("runtime_operations");

CASE("operations: an id that never was is an error for each") {
  CITE(
      "runtime.md#query-state: Attempting to query a container that does not exist MUST generate "
      "an error.");
  CITE(
      "runtime.md#start: Attempting to start a container that is not created MUST have no effect "
      "on the container and MUST generate an error.");
  REQUIRES(root());
  check_unknown(tag() + "-never");
}

CASE("operations: an id that was deleted is an error for each") {
  CITE(
      "runtime.md#query-state: Attempting to query a container that does not exist MUST generate "
      "an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  REQUIRE(waiting.container.remove().ok());
  check_unknown(waiting.container.id());
}

CASE("operations: all five are there") {
  CITE(
      "runtime.md#operations: Note: these operations are not specifying any command-line APIs, "
      "and the parameters are inputs for general operations.");
  REQUIRES(root());
  Waiting waiting;
  CHECK(waiting.created);
  CHECK(waiting.container.state().ok());
  CHECK(waiting.start());
  CHECK(waiting.end());
  CHECK(waiting.container.remove().ok());
}

CASE("create: an error when there is no config.json in the bundle") {
  CITE(
      "runtime.md#create: This operation MUST generate an error if it is not provided a path to "
      "the bundle and the container ID to associate with the container.");
  REQUIRES(root());
  const ScratchDirectory empty("empty");
  CHECK_FALSE(create_at(empty.path().string(), tag() + "-none").ok());
  CHECK_FALSE(create_at((empty.path() / "nothing").string(), tag() + "-none").ok());
  write_file(empty.path() / "file", "{}");
  CHECK_FALSE(create_at((empty.path() / "file").string(), tag() + "-none").ok());
  CHECK_FALSE(runtime({"state", tag() + "-none"}).ok());
}

CASE("create: an error for an id that is not valid") {
  CITE(
      "runtime.md#create: If the ID provided is not unique across all containers within the "
      "scope of the runtime, or is not valid in any other way, the implementation MUST generate "
      "an error and a new container MUST NOT be created.");
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  for (const std::string id : {"", ".", "..", "a/b", "../escape"}) {
    CAPTURE(id);
    CHECK_FALSE(create_at(bundle.path().string(), id).ok());
    CHECK_FALSE(runtime({"state", id}).ok());
  }
  CHECK_FALSE(std::filesystem::exists(state_root().parent_path() / "escape"));
}

CASE("create: an error for the id of a running container, which goes on") {
  CITE(
      "runtime.md#create: If the ID provided is not unique across all containers within the "
      "scope of the runtime, or is not valid in any other way, the implementation MUST generate "
      "an error and a new container MUST NOT be created.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  CHECK_FALSE(run_program(waiting.container.create_command()).ok());
  CHECK(waiting.container.status() == "running");
  CHECK(waiting.container.pid() == waiting.pid);
  CHECK(waiting.end());
}

CASE("create: an error for the id of a stopped container, which stays") {
  CITE(
      "runtime.md#create: If the ID provided is not unique across all containers within the "
      "scope of the runtime, or is not valid in any other way, the implementation MUST generate "
      "an error and a new container MUST NOT be created.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  CHECK_FALSE(run_program(waiting.container.create_command()).ok());
  CHECK(waiting.container.status() == "stopped");
}

CASE("create: one bundle may be several containers") {
  CITE("runtime.md#create: This operation MUST create a new container.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "here"});
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  REQUIRE(second.create().ok());
  const pid_t pid = first.pid();
  CHECK(first.start().ok());
  CHECK(first.wait_exit(pid) == 0);
  CHECK(second.status() == "created");
  CHECK(second.output().empty());
}

CASE("create: what is not of process is applied by create") {
  CITE(
      "runtime.md#create: All of the properties configured in config.json except for process "
      "MUST be applied.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle.add_mount("/data", "tmpfs", "tmpfs", {"size=1m"}));
  REQUIRE(container.create().ok());
  const std::string process = "/proc/" + std::to_string(container.pid());
  const std::string mounts = read_file(process + "/mountinfo");
  CHECK(contains(mounts, "size=1024k"));
  CHECK(contains(mounts, " / ro,"));
  CHECK(std::filesystem::read_symlink(process + "/ns/uts") !=
        std::filesystem::read_symlink("/proc/self/ns/uts"));
  // A read-only path.
  CHECK(contains(mounts, " /proc/sys ro,"));
}

CASE("create: what cannot be applied is an error, and no container is made") {
  CITE(
      "runtime.md#create: If the runtime cannot apply a property as specified in the "
      "configuration, it MUST generate an error and a new container MUST NOT be created.");
  REQUIRES(root());
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"/mounts/-", R"({"destination": "/data", "type": "nosuchfs", "source": "none"})"},
      {"/mounts/-", R"({"destination": "/data", "source": "/no/such", "options": ["bind"]})"},
      {"/mounts/-", R"({"destination": "/data", "type": "tmpfs", "options": ["size=many"]})"},
      {"/linux/sysctl", R"({"kernel.no_such_thing": "1"})"},
      {"/linux/namespaces/0/path", R"("/no/such/namespace")"},
      {"/process/rlimits/0/type", R"("RLIMIT_NONE")"},
  };
  for (const auto& [pointer, value] : rows) {
    CAPTURE(pointer);
    CAPTURE(value);
    Bundle bundle;
    // Old versions of crun leave cgroups behind when they fail late.
    if (runtime_name() == "crun") bundle.erase("/linux/resources");
    check_refused(bundle.set_json(pointer, value));
  }
}

CASE("create: a namespace of another kind is an error") {
  CITE(
      "runtime.md#create: If the runtime cannot apply a property as specified in the "
      "configuration, it MUST generate an error and a new container MUST NOT be created.");
  REQUIRES(root());
  Bundle bundle;
  check_refused(bundle.set_namespace("network", "/proc/self/ns/uts"));
}

CASE("start: an error for a program that is not there, and it does not run later") {
  CITE(
      "runtime.md#errors: Unless otherwise stated, generating an error MUST leave the state of "
      "the environment as if the operation were never attempted - modulo any possible trivial "
      "ancillary changes such as logging.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/args", Strings{"/no/such/program"});
  Container container(bundle);
  // The specification leaves open which operation sees it.
  if (container.create().ok()) CHECK_FALSE(container.start().ok());
  CHECK(container.status() != "running");
}

CASE("start: an error for a container that was killed before") {
  CITE(
      "runtime.md#start: Attempting to start a container that is not created MUST have no effect "
      "on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  const pid_t pid = waiting.container.pid();
  CHECK(waiting.container.kill("KILL").ok());
  CHECK(waiting.container.wait_exit(pid) == 137);
  CHECK_FALSE(waiting.container.start().ok());
  CHECK(waiting.container.status() == "stopped");
  CHECK(waiting.container.output().empty());
}

CASE("start: of two at the same time one succeeds, and the program runs once") {
  CITE(
      "runtime.md#start: Attempting to start a container that is not created MUST have no effect "
      "on the container and MUST generate an error.");
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 has no lock: at times both succeed, or one hangs");
  EXCLUDES("crun", "1.8.1 has no lock: at times both succeed, or one hangs");
  Waiting waiting;
  waiting.pid = waiting.container.pid();
  Process first(runtime_command({"start", waiting.container.id()}));
  Process second(runtime_command({"start", waiting.container.id()}));
  const bool is_first = first.wait().ok(), is_second = second.wait().ok();
  CHECK(is_first != is_second);
  REQUIRE(waiting.container.wait_output("ready"));
  CHECK(waiting.end());
  CHECK(lines(waiting.container.output()).size() == 2);
}

CASE("kill: an error for a container that does not exist") {
  CITE(
      "runtime.md#kill: Attempting to send a signal to a container that is neither created nor "
      "running MUST have no effect on the container and MUST generate an error.");
  REQUIRES(root());
  CHECK_FALSE(runtime({"kill", tag() + "-none", "TERM"}).ok());
}

CASE("kill: signals by name and by number") {
  CITE("runtime.md#kill: This operation MUST send the specified signal to the container process.");
  REQUIRES(root());
  const std::vector<std::pair<std::string, int>> rows = {
      {"HUP", SIGHUP}, {"SIGUSR1", SIGUSR1}, {"15", SIGTERM}, {"34", 34}};
  for (const auto& [name, number] : rows) {
    CAPTURE(name);
    Waiting waiting;
    REQUIRE(waiting.start());
    CHECK(waiting.container.kill(name).ok());
    CHECK(waiting.container.wait_exit(waiting.pid) == 0);
    CHECK(value_of(waiting.container.output(), "signal") == std::to_string(number));
  }
}

CASE("kill: an unknown signal is an error, and the container goes on") {
  CITE(
      "runtime.md#errors: Unless otherwise stated, generating an error MUST leave the state of "
      "the environment as if the operation were never attempted - modulo any possible trivial "
      "ancillary changes such as logging.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes an unknown name for signal 0");
  Waiting waiting;
  REQUIRE(waiting.start());
  for (const std::string signal : {"NOSUCH", "SIG", "1000"}) {
    CAPTURE(signal);
    CHECK_FALSE(waiting.container.kill(signal).ok());
  }
  CHECK(waiting.container.status() == "running");
  CHECK(waiting.end());
  CHECK(value_of(waiting.container.output(), "signal") == "15");
}

CASE("kill: other containers do not get the signal") {
  CITE("runtime.md#kill: This operation MUST send the specified signal to the container process.");
  REQUIRES(root());
  Waiting first, second;
  REQUIRE(first.start());
  REQUIRE(second.start());
  CHECK(first.end());
  CHECK(second.container.status() == "running");
  CHECK(second.container.kill("USR1").ok());
  CHECK(second.container.wait_exit(second.pid) == 0);
  CHECK(value_of(second.container.output(), "signal") == std::to_string(SIGUSR1));
}

CASE("delete: an error for a created container, which stays") {
  CITE(
      "runtime.md#delete: Attempting to delete a container that is not stopped MUST have no "
      "effect on the container and MUST generate an error.");
  REQUIRES(root());
  DEVIATES("onggi",
           "engines clean up by a plain delete of what they have not started; see the choices");
  DEVIATES("runc", "deletes it");
  DEVIATES("crun", "deletes it");
  Waiting waiting;
  CHECK_FALSE(waiting.container.remove().ok());
  CHECK(waiting.container.status() == "created");
}

CASE("delete: an error for a running container, whose program is untouched") {
  CITE(
      "runtime.md#delete: Attempting to delete a container that is not stopped MUST have no "
      "effect on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  CHECK_FALSE(waiting.container.remove().ok());
  CHECK(waiting.container.pid() == waiting.pid);
  CHECK(waiting.end());
  CHECK(value_of(waiting.container.output(), "signal") == "15");
}

CASE("delete: a second one is an error") {
  CITE(
      "runtime.md#delete: Attempting to delete a container that is not stopped MUST have no "
      "effect on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  CHECK(waiting.container.remove().ok());
  CHECK_FALSE(waiting.container.remove().ok());
}

CASE("delete: a joined namespace stays, as do the processes in it") {
  CITE(
      "runtime.md#delete: Note that resources associated with the container, but not created by "
      "this container, MUST NOT be deleted.");
  REQUIRES(root());
  Waiting owner;
  REQUIRE(owner.start());
  const std::string path = "/proc/" + std::to_string(owner.pid) + "/ns/net";
  const auto name = std::filesystem::read_symlink(path);
  Bundle bundle;
  CHECK(run(bundle.set_namespace("network", path)).ok());
  CHECK(std::filesystem::read_symlink(path) == name);
  CHECK(owner.container.status() == "running");
  CHECK(owner.end());
}

CASE("delete: the bundle stays as it was") {
  CITE(
      "runtime.md#delete: Note that resources associated with the container, but not created by "
      "this container, MUST NOT be deleted.");
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  const std::string config = read_file(bundle.config());
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.remove(true).ok());
  CHECK(read_file(bundle.config()) == config);
  CHECK(std::filesystem::exists(bundle.rootfs() / "bin/guest"));
}

CASE("delete: the id of a deleted container may be that of another bundle") {
  CITE(
      "runtime.md#delete: Once a container is deleted its ID MAY be used by a subsequent "
      "container.");
  REQUIRES(root());
  const std::string id = tag() + "-again";
  for (const std::string word : {"first", "second"}) {
    CAPTURE(word);
    Bundle bundle;
    bundle.set("/annotations/com.example.word", word).write();
    REQUIRE(create_at(bundle.path().string(), id).ok());
    const rapidjson::Document state = parse_json(runtime({"state", id}).out);
    CHECK(state["annotations"]["com.example.word"].GetString() == word);
    CHECK(state["bundle"].GetString() == bundle.path().string());
    CHECK(runtime({"kill", id, "KILL"}).ok());
    CHECK(eventually([&] { return runtime({"delete", id}).ok(); }));
  }
}

CASE("delete: processes that the program left behind are gone") {
  CITE(
      "runtime.md#delete: Deleting a container MUST delete the resources that were created "
      "during the create step.");
  REQUIRES(root());
  const Snapshot before;
  Bundle bundle;
  bundle.guest({"leave-child", "--", "signal-exit"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  REQUIRE(container.wait_output("ready"));
  CHECK(container.kill("TERM").ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.remove().ok());
  CHECK(before.left_behind().empty());
}

CASE("warnings: one does not change what the operation does") {
  CITE(
      "runtime.md#warnings: Unless otherwise stated, logging a warning does not change the flow "
      "of the operation; it MUST continue as if the warning had not been logged.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/capabilities/bounding/-", "CAP_NONE").guest({"echo", "goes on"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(container.status() == "created");
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "goes on\n");
  CHECK(container.remove().ok());
}

TEST_SUITE_END();
