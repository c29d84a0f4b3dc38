// SPDX-License-Identifier: Apache-2.0
// The six lists of hooks: when and where they run, and what they are given.
#include "hooked.h"

using namespace onggi::test;

TEST_SUITE_BEGIN("hooks");

CASE("each operation runs its hooks, in the order of the life cycle") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  EXCLUDES("crun", kPoststartTooEarly);
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(hooked.order() == joined(kOfCreate));
  const pid_t pid = container.pid();
  hooked.forget();
  REQUIRE(container.start().ok());
  CHECK(hooked.order() == "startContainer poststart");
  CHECK(container.wait_exit(pid) == 0);
  hooked.forget();
  CHECK(container.remove().ok());
  CHECK(hooked.order() == "poststop");
}

CASE("the hooks of a list run in its order") {
  REQUIRES(root());
  for (const std::string& point : kAll) {
    CAPTURE(point);
    Hooked hooked;
    for (const char* name : {"first", "second", "third"}) {
      hooked.add(point, {.then = {}, .name = name});
    }
    Container container(hooked.bundle());
    live(container);
    CHECK(hooked.order() == "first second third");
  }
}

CASE("run runs all hooks") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  EXCLUDES("crun", kPoststartTooEarly);
  Hooked hooked;
  add_all(hooked);
  CHECK(run(hooked.bundle()).ok());
  CHECK(hooked.order() == joined(kAll));
}

CASE("delete --force of a running container runs poststop") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("poststop");
  hooked.bundle().guest({"pause"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == "poststop");
  CHECK(hooked.status("poststop") == "stopped");
}

CASE("delete of a container that was never started runs poststop") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("poststop");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(container.remove(true).ok());
  CHECK(hooked.order() == "poststop");
}

CASE("hooks run in the namespaces of the runtime or of the container") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  const Life life = live(container);
  for (const std::string kind : {"mnt", "pid", "net", "uts"}) {
    for (const std::string& point : kOnHost) {
      CAPTURE(point);
      CHECK(hooked.in_namespace(point, namespace_of("self", kind)));
    }
  }
  for (const std::string& point : kInContainer) {
    CAPTURE(point);
    CHECK(hooked.in_namespace(point, life.mount_namespace));
    CHECK(hooked.in_namespace(point, life.pid_namespace));
  }
}

CASE(
    "a createContainer hook is a program of the host in the container's namespaces, before the "
    "root is changed, with an empty environment (checklist 1)") {
  REQUIRES(root());
  DEVIATES("runc", "passes process.env on");
  DEVIATES("crun", "passes its own environment on, and 0 as the pid");
  Hooked hooked;
  const ScratchDirectory host("host");
  const auto file = host.path() / "only-on-the-host";
  write_file(file, "yes");
  hooked.add("createContainer", {.then = {"cat", file}});
  hooked.bundle().set_json("/process/env/-", R"("LD_PRELOAD=./of-the-image.so")");
  Container container(hooked.bundle());
  Spawn caller;
  caller.environment = {"OF_THE_CALLER=1"};
  const Outcome created = container.create({}, caller);
  REQUIRE_MESSAGE(created.ok(), created.err);
  const std::string pid = std::to_string(container.pid());
  for (const std::string kind : {"mnt", "pid", "net", "uts", "ipc"}) {
    CAPTURE(kind);
    CHECK(hooked.in_namespace("createContainer", namespace_of(pid, kind)));
  }
  CHECK(hooked.environment("createContainer").empty());
  const rapidjson::Document state = hooked.state("createContainer");
  REQUIRE(state.HasMember("pid"));
  CHECK(state["pid"].GetInt() == 1);
}

CASE("a startContainer hook without env has that of the program (checklist 2)") {
  REQUIRES(root());
  Hooked hooked;
  hooked.add("startContainer");
  hooked.bundle().set("/process/env", Strings{"PATH=/bin", "HOME=/", "OF_THE_PROGRAM=one two"});
  Container container(hooked.bundle());
  live(container);
  Strings entries = hooked.environment("startContainer");
  std::sort(entries.begin(), entries.end());
  CHECK(entries == Strings{"HOME=/", "OF_THE_PROGRAM=one two", "PATH=/bin"});
}

CASE("createContainer runs before the root is changed, with the mounts of config.json") {
  REQUIRES(root());
  Hooked hooked;
  ScratchDirectory host("host");
  const auto file = host.path() / "only-here";
  write_file(file, "yes");
  hooked.add("createContainer",
             {.then = {"cat", file, "--", "cat", hooked.bundle().rootfs() / "proc/self/stat"}});
  Container container(hooked.bundle());
  const Outcome created = container.create();
  CHECK_MESSAGE(created.ok(), created.err);
}

CASE("the path of a startContainer hook is one of the container") {
  REQUIRES(root());
  Hooked hooked;
  hooked.bundle().writable_root();
  std::filesystem::rename(hooked.bundle().rootfs() / "bin/guest",
                          hooked.bundle().rootfs() / "only-inside");
  hooked.add_json("startContainer",
                  R"({"path": "/only-inside", "args": ["guest", "write", "/mark", "yes"]})");
  hooked.bundle().set("/process/args", Strings{"/only-inside", "exit", "0"});
  Container container(hooked.bundle());
  live(container);
  CHECK(read_file(hooked.bundle().rootfs() / "mark") == "yes");
}

CASE("prestart and createRuntime run before the root is changed") {
  REQUIRES(root());
  for (const std::string point : {"prestart", "createRuntime"}) {
    CAPTURE(point);
    Hooked hooked;
    // The root of the container's first process, which the state document names.
    hooked.add_json(point, R"({"path": "/bin/sh", "args": ["sh", "-c",
      "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/;t;d' | head -n 1); readlink /proc/$pid/root >&2; [ -e /proc/$pid/root/bin/sh ]"],
      "env": ["PATH=/usr/bin:/bin"]})");
    Container container(hooked.bundle());
    const Outcome created = container.create();
    CHECK_MESSAGE(created.ok(), created.err);
  }
}

CASE("the state document tells the status") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  DEVIATES("crun", "says created where the specification says creating, and starting for created");
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  live(container);
  CHECK(hooked.status("prestart") == "creating");
  CHECK(hooked.status("createRuntime") == "creating");
  CHECK(hooked.status("createContainer") == "creating");
  CHECK(hooked.status("startContainer") == "created");
  CHECK(hooked.status("poststart") == "running");
  CHECK(hooked.status("poststop") == "stopped");
}

CASE("the state document has id, version, bundle and annotations") {
  REQUIRES(root());
  DEVIATES("crun", "the bundle is wrong for startContainer");
  Hooked hooked;
  add_all(hooked);
  hooked.bundle().set_json("/annotations", R"({"org.example.key": "a \"value\""})");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("id"));
    CHECK(state["id"].GetString() == container.id());
    REQUIRE(state.HasMember("ociVersion"));
    REQUIRE(state.HasMember("bundle"));
    CHECK(std::string(state["bundle"].GetString()) == hooked.bundle().path().string());
    REQUIRE(state.HasMember("annotations"));
    REQUIRE(state["annotations"].HasMember("org.example.key"));
    CHECK(state["annotations"]["org.example.key"].GetString() == std::string("a \"value\""));
  }
}

CASE("the state document has the pid of the container on the host") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  const Life life = live(container);
  for (const std::string point : {"prestart", "createRuntime", "poststart"}) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("pid"));
    CHECK(state["pid"].GetInt() == life.pid);
  }
}

CASE("the state document of a hook in the container has a pid") {
  REQUIRES(root());
  DEVIATES("crun", "0");
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  const Life life = live(container);
  for (const std::string& point : kInContainer) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    REQUIRE(state.HasMember("pid"));
    const int pid = state["pid"].GetInt();
    CHECK((pid == 1 || pid == life.pid));
  }
}

CASE("a hook has the environment that it is given, and no other") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked, {.then = {}, .env = Strings{"B=2", "A=one two"}});
  hooked.bundle().set_json("/process/env/-", R"("FROM_IMAGE=1")");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.environment(point) == Strings{"B=2", "A=one two"});
  }
}

// Engines leave out `env` for hooks that look for programs in PATH.
CASE("a hook of the host's without env has the environment of the runtime") {
  REQUIRES(root());
  Hooked hooked;
  for (const std::string& point : kOnHost) hooked.add(point);
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kOnHost) {
    CAPTURE(point);
    const Strings entries = hooked.environment(point);
    const std::string given = "XDG_RUNTIME_DIR=" + state_root().string();
    CHECK(std::find(entries.begin(), entries.end(), given) != entries.end());
  }
}

CASE("a hook whose env is an empty list has an empty environment") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked, {.then = {}, .env = Strings{}});
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.environment(point).empty());
  }
}

CASE("hooks on the host never have the environment of the container's program") {
  REQUIRES(root());
  DEVIATES("runc", "createContainer hooks have it (CVE-2025-23266)");
  Hooked hooked;
  add_all(hooked);
  hooked.bundle().set_json("/process/env/-", R"("LD_PRELOAD=./evil.so")");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    if (point == "startContainer") continue;  // a program of the container itself
    CAPTURE(point);
    REQUIRE(hooked.has_run(point));
    for (const std::string& entry : hooked.environment(point)) {
      CHECK_FALSE(entry.starts_with("LD_PRELOAD="));
    }
  }
}

CASE("a hook that runs on the host's files does not run in the container's directory") {
  REQUIRES(root());
  DEVIATES("runc", "createContainer hooks run in the rootfs");
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    const std::string directory = hooked.value(point, "cwd");
    CHECK(directory.starts_with("/"));
    if (point != "startContainer")
      CHECK_FALSE(directory.starts_with(hooked.bundle().rootfs().string()));
    if (is_onggi() && point != "startContainer") CHECK(directory == hooked.bundle().path());
  }
}

CASE("the first of args is the name that a hook sees of itself") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked, {.then = {}, .argv0 = "another-name"});
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.value(point, "argv0") == "another-name");
  }
}

CASE("a hook that does not read its input does no harm") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 ends when the hook does not read");
  Hooked hooked;
  // More than a pipe holds.
  hooked.bundle().set("/annotations/org.example.large", std::string(200'000, 'x'));
  for (const std::string& point : kAll) {
    const bool inside = point == "startContainer";
    const std::string path =
        inside ? "/bin/guest" : (hooked.bundle().rootfs() / "bin/guest").string();
    hooked.add_json(point,
                    R"({"path": )" + json_string(path) + R"(, "args": ["guest", "exit", "0"]})");
  }
  Container container(hooked.bundle());
  live(container);
}

CASE("hooks are those of config.json at create") {
  REQUIRES(root());
  Hooked hooked;
  add_all(hooked);
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  std::filesystem::remove(hooked.bundle().config());
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.remove().ok());
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.has_run(point));
  }
}

CASE("the state command works while a hook runs") {
  REQUIRES(root());
  DEVIATES("runc", kPoststartInCreate);
  // A hook that asks for the state of its own container, as hooks of networks do.
  Hooked hooked;
  Container container(hooked.bundle());
  const std::string command =
      runtime_path() + " --root " + state_root().string() + " state " + container.id();
  hooked.add_json("poststart",
                  R"({"path": "/bin/sh", "timeout": 20, "args": ["sh", "-c", )" +
                      json_string(command + " >" + (hooked.bundle().path() / "seen").string()) +
                      "]}");
  hooked.bundle().guest({"pause"});
  REQUIRE(container.create().ok());
  const Outcome started = container.start();
  CHECK_MESSAGE(started.ok(), started.err);
  CHECK(contains(read_file(hooked.bundle().path() / "seen"), "running"));
}

TEST_SUITE_END();
