// SPDX-License-Identifier: Apache-2.0
// runtime.md#state: every property of the state document, in every status, for callers and hooks.
#include "support/hooked.h"
#include "support/waiting.h"

#include <set>

using namespace onggi::test;

namespace {

const std::set<std::string> kStatuses = {"creating", "created", "running", "stopped"};

std::string string_of(const rapidjson::Document& document, const char* key) {
  return document.HasMember(key) && document[key].IsString() ? document[key].GetString() : "<none>";
}

}  // namespace

TEST_SUITE_BEGIN("runtime_state");

CASE("state: id is the one that the container was created with") {
  CITE("runtime.md#state: id (string, REQUIRED) is the container's ID.");
  REQUIRES(root());
  Waiting waiting;
  CHECK(string_of(waiting.container.document(), "id") == waiting.container.id());
}

CASE("state: two containers of one bundle are told apart by their ids") {
  CITE("runtime.md#state: This MUST be unique across all containers on this host.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  REQUIRE(second.create().ok());
  CHECK(string_of(first.document(), "id") == first.id());
  CHECK(string_of(second.document(), "id") == second.id());
  CHECK(first.pid() != second.pid());
  CHECK(second.kill("KILL").ok());
  CHECK(second.wait_status("stopped"));
  CHECK(first.status() == "created");
}

CASE("state: created is the status after create, however long the start is away") {
  CITE(
      "runtime.md#state: created: the runtime has finished the create operation (after step 2 in "
      "the lifecycle), and the container process has neither exited nor executed the "
      "user-specified program");
  REQUIRES(root());
  Waiting waiting;
  for (int i = 0; i < 3; i++) CHECK(waiting.container.status() == "created");
  CHECK(waiting.container.output().empty());
}

CASE("state: running is the status while the program runs") {
  CITE(
      "runtime.md#state: running: the container process has executed the user-specified program "
      "but has not exited (after step 8 in the lifecycle)");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  CHECK(waiting.container.status() == "running");
}

CASE("state: stopped is the status after an exit, whatever its code") {
  CITE("runtime.md#state: stopped: the container process has exited (step 10 in the lifecycle)");
  REQUIRES(root());
  for (const std::string code : {"0", "1", "255"}) {
    CAPTURE(code);
    Bundle bundle;
    bundle.guest({"exit", code});
    Container container(bundle);
    REQUIRE(container.create().ok());
    CHECK(container.start().ok());
    CHECK(container.wait_status("stopped"));
  }
}

CASE("state: stopped is the status of a container that was killed before its start") {
  CITE("runtime.md#state: stopped: the container process has exited (step 10 in the lifecycle)");
  REQUIRES(root());
  Waiting waiting;
  CHECK(waiting.container.kill("KILL").ok());
  CHECK(waiting.container.wait_status("stopped"));
}

CASE("state: stopped is the status although the first process is not yet reaped") {
  CITE("runtime.md#state: stopped: the container process has exited (step 10 in the lifecycle)");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  // This process is the parent and does not wait for it.
  CHECK(waiting.container.kill("TERM").ok());
  CHECK(waiting.container.wait_status("stopped"));
  CHECK(contains(read_file("/proc/" + std::to_string(waiting.pid) + "/stat"), ") Z "));
  CHECK(waiting.container.wait_exit(waiting.pid) == 0);
}

CASE("state: creating is the status while hooks of create run") {
  CITE("runtime.md#state: creating: the container is being created (step 2 in the lifecycle)");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 says created");
  Hooked hooked;
  for (const char* point : {"prestart", "createRuntime", "createContainer"}) hooked.add(point);
  Container container(hooked.bundle());
  live(container);
  for (const char* point : {"prestart", "createRuntime", "createContainer"}) {
    CAPTURE(point);
    CHECK(hooked.status(point) == "creating");
  }
}

CASE("state: no status but the four of the specification, from create to delete") {
  CITE(
      "runtime.md#state: Additional values MAY be defined by the runtime, however, they MUST be "
      "used to represent new runtime states not defined above.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 says starting to startContainer hooks");
  Hooked hooked;
  const Strings points = {"prestart",       "createRuntime", "createContainer",
                          "startContainer", "poststart",     "poststop"};
  for (const std::string& point : points) hooked.add(point);
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : points) {
    CAPTURE(point);
    CHECK(kStatuses.count(hooked.status(point)) == 1);
  }
}

CASE("state: pid is a number of a process that is there, in created and in running") {
  CITE(
      "runtime.md#state: pid (int, REQUIRED when status is created or running on Linux, OPTIONAL "
      "on other platforms) is the ID of the container process.");
  REQUIRES(root());
  Waiting waiting;
  for (const bool started : {false, true}) {
    CAPTURE(started);
    if (started) REQUIRE(waiting.start());
    const rapidjson::Document state = waiting.container.document();
    REQUIRE(state.HasMember("pid"));
    REQUIRE(state["pid"].IsInt());
    CHECK(std::filesystem::exists("/proc/" + std::to_string(state["pid"].GetInt())));
  }
}

CASE("state: pid is the first process of the container's pid namespace") {
  CITE(
      "runtime.md#state: pid (int, REQUIRED when status is created or running on Linux, OPTIONAL "
      "on other platforms) is the ID of the container process.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  const std::string status = read_file("/proc/" + std::to_string(waiting.pid) + "/status");
  CHECK(value_of(status, "NSpid:") == "<none>");
  CHECK(contains(status, "NSpid:\t" + std::to_string(waiting.pid) + "\t1\n"));
}

CASE("state: hooks on the host get the pid as the runtime sees it") {
  CITE(
      "runtime.md#state: For hooks executed in the runtime namespace, it is the pid as seen by "
      "the runtime.");
  REQUIRES(root());
  Hooked hooked;
  for (const char* point : {"prestart", "createRuntime", "poststart"}) hooked.add(point);
  Container container(hooked.bundle());
  const pid_t pid = live(container).pid;
  for (const char* point : {"prestart", "createRuntime", "poststart"}) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("pid"));
    CHECK(state["pid"].GetInt() == pid);
  }
}

CASE("state: hooks in the container get the pid as the container sees it") {
  CITE(
      "runtime.md#state: For hooks executed in the container namespace, it is the pid as seen by "
      "the container.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 says 0");
  Hooked hooked;
  for (const char* point : {"createContainer", "startContainer"}) hooked.add(point);
  Container container(hooked.bundle());
  live(container);
  for (const char* point : {"createContainer", "startContainer"}) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("pid"));
    CHECK(state["pid"].GetInt() == 1);
  }
}

CASE("state: bundle is absolute, also when create was given a relative path") {
  CITE(
      "runtime.md#state: bundle (string, REQUIRED) is the absolute path to the container's "
      "bundle directory.");
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  const std::string id = tag() + "-relative";
  Spawn spawn;
  spawn.directory = bundle.path().parent_path().string();
  REQUIRE(runtime({"create", "--bundle", bundle.path().filename().string(), id}, spawn).ok());
  const rapidjson::Document state = parse_json(runtime({"state", id}).out);
  CHECK(string_of(state, "bundle") == bundle.path().string());
  CHECK(runtime({"delete", "--force", id}).ok());
}

CASE("state: config.json and the root are found by way of bundle") {
  CITE(
      "runtime.md#state: This is provided so that consumers can find the container's "
      "configuration and root filesystem on the host.");
  REQUIRES(root());
  Waiting waiting;
  const std::filesystem::path bundle = string_of(waiting.container.document(), "bundle");
  CHECK(std::filesystem::exists(bundle / "config.json"));
  CHECK(std::filesystem::exists(bundle / "rootfs/bin/guest"));
}

CASE("state: annotations are those of config.json, in every status") {
  CITE(
      "runtime.md#state: annotations (map, OPTIONAL) contains the list of annotations associated "
      "with the container.");
  REQUIRES(root());
  const std::string text = "a \"quoted\" \\ value,\n\tof two lines, 항아리";
  Bundle bundle;
  bundle.guest({"signal-exit"}).set("/annotations/com.example.text", text);
  bundle.set("/annotations/com.example.empty", "");
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  const auto check = [&] {
    const rapidjson::Document state = container.document();
    REQUIRE(state.HasMember("annotations"));
    CHECK(state["annotations"]["com.example.text"].GetString() == text);
    REQUIRE(state["annotations"].HasMember("com.example.empty"));
    CHECK(state["annotations"]["com.example.empty"].GetStringLength() == 0);
  };
  check();
  REQUIRE(container.start().ok());
  check();
  REQUIRE(container.wait_output("ready"));
  REQUIRE(container.kill("TERM").ok());
  CHECK(container.wait_exit(pid) == 0);
  check();
}

CASE("state: without annotations the property is absent or an empty map") {
  CITE(
      "runtime.md#state: If no annotations were provided then this property MAY either be absent "
      "or an empty map.");
  REQUIRES(root());
  for (const bool is_empty : {false, true}) {
    CAPTURE(is_empty);
    Bundle bundle;
    if (is_empty) bundle.set_json("/annotations", "{}");
    Container container(bundle);
    REQUIRE(container.create().ok());
    const rapidjson::Document state = container.document();
    if (!state.HasMember("annotations")) continue;
    REQUIRE(state["annotations"].IsObject());
    CHECK(state["annotations"].ObjectEmpty());
  }
}

CASE("state: ociVersion is one that the runtime accepts itself") {
  CITE(
      "runtime.md#state: ociVersion (string, REQUIRED) is version of the Open Container "
      "Initiative Runtime Specification with which the state complies.");
  REQUIRES(root());
  Waiting waiting;
  const std::string version = string_of(waiting.container.document(), "ociVersion");
  Bundle bundle;
  CHECK(run(bundle.set("/ociVersion", version)).ok());
}

CASE("query state: the answer is one JSON object, the same each time") {
  CITE(
      "runtime.md#query-state: This operation MUST return the state of a container as specified "
      "in the State section.");
  REQUIRES(root());
  Waiting waiting;
  const Outcome first = waiting.container.state();
  CHECK(first.err.empty());
  CHECK(first.out == waiting.container.state().out);
  rapidjson::Document state;
  state.Parse(first.out.c_str());
  CHECK_FALSE(state.HasParseError());
  CHECK(state.IsObject());
}

CASE("query state: the answer does not need the bundle") {
  CITE(
      "runtime.md#query-state: This operation MUST return the state of a container as specified "
      "in the State section.");
  REQUIRES(root());
  Waiting waiting;
  std::filesystem::remove(waiting.bundle.config());
  const rapidjson::Document state = waiting.container.document();
  CHECK(string_of(state, "status") == "created");
  CHECK(string_of(state, "bundle") == waiting.bundle.path().string());
  REQUIRE(state.HasMember("annotations"));
  CHECK(state["annotations"].HasMember("com.example.key"));
}

CASE("query state: an error for a container that was deleted") {
  CITE(
      "runtime.md#query-state: Attempting to query a container that does not exist MUST generate "
      "an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  CHECK(waiting.container.remove().ok());
  const Outcome outcome = waiting.container.state();
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.out.empty());
  CHECK_FALSE(outcome.err.empty());
}

CASE("scope: whoever creates a container has all operations on it, from anywhere") {
  CITE(
      "runtime.md#scope-of-a-container: The entity using a runtime to create a container MUST be "
      "able to use the operations defined in this specification against that same container.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.created);
  Spawn elsewhere;
  elsewhere.directory = "/";
  elsewhere.environment = {"OTHER=1"};
  const std::string id = waiting.container.id();
  waiting.pid = waiting.container.pid();
  CHECK(runtime({"state", id}, elsewhere).ok());
  CHECK(runtime({"start", id}, elsewhere).ok());
  CHECK(waiting.container.wait_output("ready"));
  CHECK(runtime({"kill", id, "TERM"}, elsewhere).ok());
  CHECK(waiting.container.wait_exit(waiting.pid) == 0);
  CHECK(runtime({"delete", id}, elsewhere).ok());
}

TEST_SUITE_END();
