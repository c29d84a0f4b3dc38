// SPDX-License-Identifier: Apache-2.0
// config.md#posix-platform-hooks: where each of the six lists runs, with what, and when.
#include "support/hooked.h"
#include "support/suite.h"

using namespace onggi::test;

namespace {

const Strings kAll = {"prestart",       "createRuntime", "createContainer",
                      "startContainer", "poststart",     "poststop"};

void check_in_runtime_namespace(const std::string& point) {
  Hooked hooked;
  hooked.add(point);
  Container container(hooked.bundle());
  live(container);
  for (const std::string kind : {"mnt", "pid", "net", "uts", "ipc"}) {
    CAPTURE(kind);
    CHECK(hooked.in_namespace(point, namespace_of("self", kind)));
  }
}

void check_in_container_namespace(const std::string& point) {
  Hooked hooked;
  hooked.add(point);
  Container container(hooked.bundle());
  const Life life = live(container);
  CHECK(hooked.in_namespace(point, life.mount_namespace));
  CHECK(hooked.in_namespace(point, life.pid_namespace));
}

// A program that is outside of the root filesystem.
void check_path_on_host(const std::string& point) {
  Hooked hooked;
  const auto program = hooked.bundle().path() / "only-here";
  std::filesystem::copy_file(hooked.bundle().rootfs() / "bin/guest", program);
  hooked.add_json(
      point, R"({"path": )" + json_string(program.string()) + R"(, "args": ["guest", "record", )" +
                 json_string(hooked.trace().string()) + ", " + json_string(point) + "]}");
  Container container(hooked.bundle());
  live(container);
  CHECK(hooked.order() == point);
}

std::string shell_hook(const std::string& command) {
  return R"({"path": "/bin/sh", "env": ["PATH=/usr/bin:/bin"], "args": ["sh", "-c", )" +
         json_string(command) + "]}";
}
// Sets $pid from the state.
const std::string kReadPid =
    R"(pid=$(tr , '\n' | sed 's/.*"pid": *\([0-9]*\).*/\1/;t;d' | head -n 1); )";

// The container's first process sees the host's files until the root is changed.
void check_before_pivot(const std::string& point) {
  Hooked hooked;
  hooked.add_json(point, shell_hook(kReadPid + "[ -e /proc/$pid/root/bin/sh ]"));
  Container container(hooked.bundle());
  const Outcome created = container.create();
  CHECK_MESSAGE(created.ok(), created.err);
}

}  // namespace

TEST_SUITE_BEGIN("hooks");

CASE("hooks: prestart runs in the runtime namespace") {
  CITE("config.md#prestart: The prestart hooks MUST be executed in the runtime namespace.");
  REQUIRES(root());
  check_in_runtime_namespace("prestart");
}

CASE("hooks: createRuntime runs in the runtime namespace") {
  CITE(
      "config.md#createruntime-hooks: The createRuntime hooks MUST be executed in the runtime "
      "namespace.");
  REQUIRES(root());
  check_in_runtime_namespace("createRuntime");
}

CASE("hooks: createContainer runs in the container namespace") {
  CITE(
      "config.md#createcontainer-hooks: The createContainer hooks MUST be executed in the "
      "container namespace.");
  REQUIRES(root());
  check_in_container_namespace("createContainer");
}

CASE("hooks: startContainer runs in the container namespace") {
  CITE(
      "config.md#startcontainer-hooks: The startContainer hooks MUST be executed in the "
      "container namespace.");
  REQUIRES(root());
  check_in_container_namespace("startContainer");
}

CASE("hooks: poststart runs in the runtime namespace") {
  CITE("config.md#poststart: The poststart hooks MUST be executed in the runtime namespace.");
  REQUIRES(root());
  check_in_runtime_namespace("poststart");
}

CASE("hooks: poststop runs in the runtime namespace") {
  CITE("config.md#poststop: The poststop hooks MUST be executed in the runtime namespace.");
  REQUIRES(root());
  check_in_runtime_namespace("poststop");
}

CASE("hooks: the path of prestart is one of the host") {
  CITE("config.md#prestart: The prestart hooks' path MUST resolve in the runtime namespace.");
  REQUIRES(root());
  check_path_on_host("prestart");
}

CASE("hooks: the path of createRuntime is one of the host") {
  CITE(
      "config.md#createruntime-hooks: The createRuntime hooks' path MUST resolve in the runtime "
      "namespace.");
  REQUIRES(root());
  check_path_on_host("createRuntime");
}

CASE("hooks: the path of createContainer is one of the host") {
  CITE(
      "config.md#createcontainer-hooks: The createContainer hooks' path MUST resolve in the "
      "runtime namespace.");
  REQUIRES(root());
  check_path_on_host("createContainer");
}

CASE("hooks: the path of startContainer is one of the container") {
  CITE(
      "config.md#startcontainer-hooks: The startContainer hooks' path MUST resolve in the "
      "container namespace.");
  REQUIRES(root());
  Hooked hooked;
  Bundle& bundle = hooked.bundle().writable_root();
  std::filesystem::rename(bundle.rootfs() / "bin/guest", bundle.rootfs() / "only-inside");
  hooked.add_json("startContainer",
                  R"({"path": "/only-inside", "args": ["guest", "write", "/mark", "yes"]})");
  bundle.set("/process/args", Strings{"/only-inside", "exit", "0"});
  Container container(bundle);
  live(container);
  CHECK(read_file(bundle.rootfs() / "mark") == "yes");
}

CASE("hooks: the path of poststart is one of the host") {
  CITE("config.md#poststart: The poststart hooks' path MUST resolve in the runtime namespace.");
  REQUIRES(root());
  check_path_on_host("poststart");
}

CASE("hooks: the path of poststop is one of the host") {
  CITE("config.md#poststop: The poststop hooks' path MUST resolve in the runtime namespace.");
  REQUIRES(root());
  check_path_on_host("poststop");
}

CASE("hooks: a relative path is an error in every list") {
  CITE(
      "config.md#posix-platform-hooks: This specification extends the IEEE standard in that path "
      "MUST be absolute.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 looks for it in the working directory");
  DEVIATES("crun", "1.8.1 looks for it in PATH");
  for (const std::string& point : kAll) {
    CAPTURE(point);
    Bundle bundle;
    bundle.set_json("/hooks/" + point, R"([{"path": "bin/true"}])");
    CHECK_FALSE(create(bundle).ok());
  }
}

CASE("hooks: a path that is not there is an error") {
  CITE(
      "config.md#posix-platform-hooks: path (string, REQUIRED) with similar semantics to IEEE "
      "Std 1003.1-2008 execv's path.");
  REQUIRES(root());
  for (const std::string point : {"prestart", "createRuntime", "createContainer"}) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add_json(point, R"({"path": "/no/such/hook"})");
    CHECK_FALSE(create(hooked.bundle()).ok());
  }
}

CASE("hooks: a hook without path is an error") {
  CITE(
      "config.md#posix-platform-hooks: path (string, REQUIRED) with similar semantics to IEEE "
      "Std 1003.1-2008 execv's path.");
  REQUIRES(root());
  Hooked hooked;
  hooked.add_json("createRuntime", R"({"args": ["guest"]})");
  CHECK_FALSE(create(hooked.bundle()).ok());
}

CASE("hooks: args are the hook's argv, its first element too") {
  CITE(
      "config.md#posix-platform-hooks: args (array of strings, OPTIONAL) with the same semantics "
      "as IEEE Std 1003.1-2008 execv's argv.");
  REQUIRES(root());
  Hooked hooked;
  for (const std::string& point : kAll) hooked.add(point, {.then = {}, .argv0 = "another name"});
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.value(point, "argv0") == "another name");
  }
}

CASE("hooks: a hook may have no args") {
  CITE(
      "config.md#posix-platform-hooks: args (array of strings, OPTIONAL) with the same semantics "
      "as IEEE Std 1003.1-2008 execv's argv.");
  REQUIRES(root());
  Hooked hooked;
  for (const std::string point : {"prestart", "createRuntime", "createContainer", "poststop"})
    hooked.add_json(point, R"({"path": "/bin/true"})");
  Container container(hooked.bundle());
  live(container);
}

CASE("hooks: env is the hook's environment, without that of the program") {
  CITE(
      "config.md#posix-platform-hooks: env (array of strings, OPTIONAL) with the same semantics "
      "as IEEE Std 1003.1-2008's environ.");
  REQUIRES(root());
  Hooked hooked;
  for (const std::string& point : kAll)
    hooked.add(point, {.then = {}, .env = Strings{"B=2", "A=one two", "E="}});
  hooked.bundle().set_json("/process/env/-", R"("FROM_IMAGE=1")");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    CHECK(hooked.environment(point) == Strings{"B=2", "A=one two", "E="});
  }
}

CASE("hooks: one that exceeds its timeout is aborted, and has failed") {
  CITE(
      "config.md#posix-platform-hooks: timeout (int, OPTIONAL) is the number of seconds before "
      "aborting the hook.");
  REQUIRES(root());
  for (const std::string point : {"prestart", "createRuntime", "createContainer"}) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, {.then = {"sleep", "1000"}, .timeout = 1});
    CHECK_FALSE(create(hooked.bundle()).ok());
    CHECK(hooked.has_run(point));
  }
}

CASE("hooks: one that ends before its timeout has succeeded") {
  CITE(
      "config.md#posix-platform-hooks: timeout (int, OPTIONAL) is the number of seconds before "
      "aborting the hook.");
  REQUIRES(root());
  Hooked hooked;
  for (const std::string& point : kAll) hooked.add(point, {.then = {}, .timeout = 600});
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) CHECK(hooked.has_run(point));
}

CASE("hooks: a timeout of zero or less is an error") {
  CITE("config.md#posix-platform-hooks: If set, timeout MUST be greater than zero.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 fires at once");
  DEVIATES("crun", "1.8.1 takes 0 for no timeout");
  for (const std::string timeout : {"0", "-1"}) {
    CAPTURE(timeout);
    Hooked hooked;
    hooked.add_json("poststop", R"({"path": "/bin/true", "timeout": )" + timeout + "}");
    CHECK_FALSE(create(hooked.bundle()).ok());
  }
}

CASE("hooks: each list runs in its order") {
  CITE("config.md#posix-platform-hooks: Hooks MUST be called in the listed order.");
  REQUIRES(root());
  for (const std::string& point : kAll) {
    CAPTURE(point);
    Hooked hooked;
    for (const char* name : {"c", "a", "b"}) hooked.add(point, {.then = {}, .name = name});
    Container container(hooked.bundle());
    live(container);
    CHECK(hooked.order() == "c a b");
  }
}

CASE("hooks: the state is on standard input, whole, for each") {
  CITE(
      "config.md#posix-platform-hooks: The state of the container MUST be passed to hooks over "
      "stdin so that they may do work appropriate to the current state of the container.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 gives startContainer hooks another bundle");
  Hooked hooked;
  for (const std::string& point : kAll) hooked.add(point);
  hooked.bundle().set("/annotations/com.example.key", "value");
  Container container(hooked.bundle());
  live(container);
  for (const std::string& point : kAll) {
    CAPTURE(point);
    const rapidjson::Document state = hooked.state(point);
    for (const char* key : {"ociVersion", "id", "status", "bundle", "annotations"})
      REQUIRE(state.HasMember(key));
    CHECK(state["id"].GetString() == container.id());
    CHECK(state["bundle"].GetString() == hooked.bundle().path().string());
    CHECK(std::string(state["annotations"]["com.example.key"].GetString()) == "value");
  }
}

CASE("hooks: the status in the state is the current one") {
  CITE(
      "config.md#posix-platform-hooks: The state of the container MUST be passed to hooks over "
      "stdin so that they may do work appropriate to the current state of the container.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 runs poststart hooks at the end of create");
  Hooked hooked;
  for (const char* point : {"poststart", "poststop"}) hooked.add(point);
  hooked.bundle().guest({"signal-exit"});
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(hooked.status("poststart") == "running");
  REQUIRE(container.wait_output("ready"));
  CHECK(container.kill("TERM").ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.remove().ok());
  CHECK(hooked.status("poststop") == "stopped");
}

CASE("hooks: prestart comes before createRuntime") {
  CITE("config.md#prestart: The prestart hooks MUST be called before the createRuntime hooks.");
  REQUIRES(root());
  Hooked hooked;
  hooked.add("createRuntime");
  hooked.add("prestart");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(hooked.order() == "prestart createRuntime");
}

CASE("hooks: createContainer comes after createRuntime") {
  CITE(
      "config.md#createcontainer-hooks: The createContainer hooks MUST be called after the "
      "createRuntime hooks.");
  REQUIRES(root());
  Hooked hooked;
  hooked.add("createContainer");
  hooked.add("createRuntime");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK(hooked.order() == "createRuntime createContainer");
}

CASE("hooks: prestart comes before the root is changed") {
  CITE(
      "config.md#prestart: The prestart hooks MUST be called as part of the create operation "
      "after the runtime environment has been created (according to the configuration in "
      "config.json) but before the pivot_root or any equivalent operation has been executed.");
  REQUIRES(root());
  check_before_pivot("prestart");
}

CASE("hooks: createRuntime comes before the root is changed") {
  CITE(
      "config.md#createruntime-hooks: The createRuntime hooks MUST be called as part of the "
      "create operation after the runtime environment has been created (according to the "
      "configuration in config.json) but before the pivot_root or any equivalent operation has "
      "been executed.");
  REQUIRES(root());
  check_before_pivot("createRuntime");
}

CASE("hooks: createContainer comes after the mounts and before the root is changed") {
  CITE(
      "config.md#createcontainer-hooks: The createContainer hooks MUST be called as part of the "
      "create operation after the runtime environment has been created (according to the "
      "configuration in config.json) but before the pivot_root or any equivalent operation has "
      "been executed.");
  REQUIRES(root());
  Hooked hooked;
  const ScratchDirectory host("host");
  write_file(host.path() / "only-here", "yes");
  hooked.add("createContainer", {.then = {"cat", (host.path() / "only-here").string(), "--", "cat",
                                          (hooked.bundle().rootfs() / "proc/self/stat").string()}});
  Container container(hooked.bundle());
  const Outcome created = container.create();
  CHECK_MESSAGE(created.ok(), created.err);
}

CASE("hooks: createRuntime sees the new namespaces of the container") {
  CITE(
      "config.md#createruntime-hooks: On Linux, for example, they are called after the container "
      "namespaces are created, so they provide an opportunity to customize the container (e.g. "
      "the network namespace could be specified in this hook).");
  REQUIRES(root());
  Hooked hooked;
  hooked.add_json(
      "createRuntime",
      shell_hook(kReadPid + "[ $(readlink /proc/$pid/ns/net) != $(readlink /proc/self/ns/net) ]"));
  Container container(hooked.bundle());
  const Outcome created = container.create();
  CHECK_MESSAGE(created.ok(), created.err);
}

CASE("hooks: startContainer comes before the program") {
  CITE(
      "config.md#startcontainer-hooks: The startContainer hooks MUST be called before the "
      "user-specified process is executed as part of the start operation.");
  REQUIRES(root());
  Hooked hooked;
  hooked.bundle().writable_root().guest({"cat", "/mark"});
  hooked.add_json("startContainer",
                  R"({"path": "/bin/guest", "args": ["guest", "write", "/mark", "by the hook"]})");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK_FALSE(std::filesystem::exists(hooked.bundle().rootfs() / "mark"));
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "by the hook");
}

CASE("hooks: poststart comes after the program is executed and before start returns") {
  CITE(
      "config.md#poststart: The poststart hooks MUST be called after the user-specified process "
      "is executed but before the start operation returns.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 runs poststart hooks at the end of create");
  EXCLUDES("crun", "1.8.1 runs poststart at times before the program is executed");
  Hooked hooked;
  hooked.bundle().guest({"pause"});
  const std::string seen = (hooked.bundle().path() / "seen").string();
  hooked.add_json("poststart", shell_hook(kReadPid + "cat /proc/$pid/cmdline >" + seen));
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  CHECK_FALSE(std::filesystem::exists(seen));
  REQUIRE(container.start().ok());
  CHECK(contains(read_file(seen), std::string("/bin/guest\0pause", 16)));
}

CASE("hooks: poststop comes after the container is deleted and before delete returns") {
  CITE(
      "config.md#poststop: The poststop hooks MUST be called after the container is deleted but "
      "before the delete operation returns.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  const std::string cgroup = cgroup_directory(container.pid(), "memory").string();
  CHECK(container.remove(true).ok());
  // The same container again, with a hook that knows where the cgroup was.
  const std::string seen = (bundle.path() / "seen").string();
  bundle.set_json("/hooks/poststop",
                  "[" + shell_hook("ls -d " + cgroup + " >" + seen + " 2>&1; :") + "]");
  REQUIRE(container.create().ok());
  CHECK(cgroup_directory(container.pid(), "memory").string() == cgroup);
  CHECK(container.remove(true).ok());
  CHECK(contains(read_file(seen), "No such file"));
}

CASE("hooks: unknown lists are ignored") {
  CITE(
      "config.md#posix-platform-hooks: hooks (object, OPTIONAL) MAY contain any of the following "
      "properties:");
  REQUIRES(root());
  Hooked hooked;
  hooked.bundle().set_json("/hooks", "{}");
  CHECK(run(hooked.bundle()).ok());
  hooked.bundle().set_json("/hooks/someday", R"([{"path": "/no/such/hook"}])");
  CHECK(run(hooked.bundle()).ok());
}

TEST_SUITE_END();
