// SPDX-License-Identifier: Apache-2.0
// runtime.md and runtime-linux.md: state, life cycle, operations, errors, standard streams.
#include "support/waiting.h"

#include <regex>

using namespace onggi::test;

TEST_SUITE_BEGIN("runtime");

CASE("state: the required properties are there") {
  CITE("runtime.md#state: The state of a container includes the following properties:");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.created);
  const rapidjson::Document state = waiting.container.document();
  CHECK(state["ociVersion"].IsString());
  CHECK(state["id"].GetString() == waiting.container.id());
  CHECK(state["status"].IsString());
  CHECK(state["pid"].IsInt());
  CHECK(state["bundle"].GetString() == waiting.bundle.path().string());
  CHECK(std::string(state["annotations"]["com.example.key"].GetString()) == "value");
}

CASE("state: ociVersion is a semantic version") {
  CITE(
      "runtime.md#state: ociVersion (string, REQUIRED) is version of the Open Container "
      "Initiative Runtime Specification with which the state complies.");
  REQUIRES(root());
  Waiting waiting;
  const rapidjson::Document state = waiting.container.document();
  REQUIRE(state.HasMember("ociVersion"));
  CHECK(std::regex_match(state["ociVersion"].GetString(),
                         std::regex("[0-9]+\\.[0-9]+\\.[0-9]+([-+].*)?")));
}

CASE("state: the status follows the life cycle") {
  CITE("runtime.md#state: status (string, REQUIRED) is the runtime state of the container.");
  REQUIRES(root());
  Waiting waiting;
  CHECK(waiting.container.status() == "created");
  CHECK(waiting.start());
  CHECK(waiting.container.status() == "running");
  CHECK(waiting.end());
  CHECK(waiting.container.status() == "stopped");
}

CASE("state: the pid is that of the container process while it is created or running") {
  CITE(
      "runtime.md#state: pid (int, REQUIRED when status is created or running on Linux, OPTIONAL "
      "on other platforms) is the ID of the container process.");
  REQUIRES(root());
  Waiting waiting;
  const pid_t created = waiting.container.pid();
  CHECK(created > 0);
  CHECK(waiting.start());
  CHECK(waiting.container.pid() == created);
  CHECK(contains(read_file("/proc/" + std::to_string(created) + "/cmdline"), "signal-exit"));
}

CASE("query state: an error without an id") {
  CITE(
      "runtime.md#query-state: This operation MUST generate an error if it is not provided the "
      "ID of a container.");
  CHECK_FALSE(runtime({"state"}).ok());
}

CASE("query state: an error for a container that does not exist") {
  CITE(
      "runtime.md#query-state: Attempting to query a container that does not exist MUST generate "
      "an error.");
  REQUIRES(root());
  CHECK_FALSE(runtime({"state", tag() + "-none"}).ok());
}

CASE("create: an error without an id") {
  CITE(
      "runtime.md#create: This operation MUST generate an error if it is not provided a path to "
      "the bundle and the container ID to associate with the container.");
  REQUIRES(root());
  Bundle bundle;
  bundle.write();
  CHECK_FALSE(runtime({"create", "--bundle", bundle.path().string()}).ok());
}

CASE("create: an error for an id in use, and the container is untouched") {
  CITE(
      "runtime.md#create: If the ID provided is not unique across all containers within the "
      "scope of the runtime, or is not valid in any other way, the implementation MUST generate "
      "an error and a new container MUST NOT be created.");
  REQUIRES(root());
  Waiting waiting;
  const pid_t pid = waiting.container.pid();
  CHECK_FALSE(run_program(waiting.container.create_command()).ok());
  CHECK(waiting.container.pid() == pid);
  CHECK(waiting.container.status() == "created");
}

CASE("create: the program does not run, and the status is created") {
  CITE(
      "runtime.md#create: process.args MUST NOT be applied until triggered by the start "
      "operation.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "ran"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.output().empty());
  CHECK(container.status() == "created");
}

CASE("create: the namespaces are there before start") {
  CITE(
      "runtime.md#lifecycle: The container's runtime environment MUST be created according to "
      "the configuration in config.json.");
  REQUIRES(root());
  Waiting waiting;
  const std::string base = "/proc/" + std::to_string(waiting.container.pid()) + "/ns/";
  for (const std::string kind : {"ipc", "mnt", "net", "pid", "uts"}) {
    CAPTURE(kind);
    CHECK(std::filesystem::read_symlink(base + kind) !=
          std::filesystem::read_symlink("/proc/self/ns/" + kind));
  }
}

CASE("create: later changes of config.json do not affect the container") {
  CITE(
      "runtime.md#lifecycle: Any updates to config.json after this step MUST NOT affect the "
      "container.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"hostname"}).set("/hostname", "first");
  Container container(bundle);
  REQUIRE(container.create().ok());
  bundle.guest({"echo", "changed"}).set("/hostname", "second").write();
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "hostname first\n");
}

CASE("create: an error leaves the environment as it was") {
  CITE(
      "runtime.md#errors: Unless otherwise stated, generating an error MUST leave the state of "
      "the environment as if the operation were never attempted - modulo any possible trivial "
      "ancillary changes such as logging.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle.add_mount("/data", "nosuchfs", "none"));
  CHECK_FALSE(container.create().ok());
  CHECK(container.status().empty());
}

CASE("create: an error when the environment cannot be made") {
  CITE(
      "runtime.md#lifecycle: If the runtime is unable to create the environment specified in the "
      "config.json, it MUST generate an error.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set_namespace("network", "/no/such/namespace")).ok());
}

CASE("start: an error without an id") {
  CITE(
      "runtime.md#start: This operation MUST generate an error if it is not provided the "
      "container ID.");
  CHECK_FALSE(runtime({"start"}).ok());
}

CASE("start: an error for a container that does not exist") {
  CITE(
      "runtime.md#start: Attempting to start a container that is not created MUST have no effect "
      "on the container and MUST generate an error.");
  REQUIRES(root());
  CHECK_FALSE(runtime({"start", tag() + "-none"}).ok());
}

CASE("start: an error for a running container, which goes on") {
  CITE(
      "runtime.md#start: Attempting to start a container that is not created MUST have no effect "
      "on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  CHECK_FALSE(waiting.container.start().ok());
  CHECK(waiting.container.status() == "running");
  CHECK(waiting.container.pid() == waiting.pid);
}

CASE("start: an error for a stopped container") {
  CITE(
      "runtime.md#start: Attempting to start a container that is not created MUST have no effect "
      "on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  CHECK_FALSE(waiting.container.start().ok());
  CHECK(waiting.container.status() == "stopped");
}

CASE("start: the program of process runs") {
  CITE(
      "runtime.md#start: This operation MUST run the user-specified program as specified by "
      "process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "as", "specified"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "as specified\n");
}

CASE("start: an error when process was not set") {
  CITE("runtime.md#start: This operation MUST generate an error if process was not set.");
  REQUIRES(root());
  Bundle bundle;
  bundle.erase("/process");
  Container container(bundle);
  // A runtime may see this at create already.
  if (container.create().ok()) CHECK_FALSE(container.start().ok());
}

CASE("kill: an error without an id") {
  CITE(
      "runtime.md#kill: This operation MUST generate an error if it is not provided the "
      "container ID.");
  CHECK_FALSE(runtime({"kill"}).ok());
}

CASE("kill: an error for a stopped container") {
  CITE(
      "runtime.md#kill: Attempting to send a signal to a container that is neither created nor "
      "running MUST have no effect on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  REQUIRE(waiting.end());
  CHECK_FALSE(waiting.container.kill("TERM").ok());
  CHECK(waiting.container.status() == "stopped");
}

CASE("kill: the signal reaches a running program") {
  CITE("runtime.md#kill: This operation MUST send the specified signal to the container process.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  CHECK(waiting.container.kill("USR2").ok());
  CHECK(waiting.container.wait_exit(waiting.pid) == 0);
  CHECK(value_of(waiting.container.output(), "signal") == "12");
}

CASE("kill: the signal reaches a created container") {
  CITE(
      "runtime.md#kill: Attempting to send a signal to a container that is neither created nor "
      "running MUST have no effect on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  const pid_t pid = waiting.container.pid();
  CHECK(waiting.container.kill("KILL").ok());
  CHECK(waiting.container.wait_exit(pid) == 137);
  CHECK(waiting.container.status() == "stopped");
}

CASE("delete: an error without an id") {
  CITE(
      "runtime.md#delete: This operation MUST generate an error if it is not provided the "
      "container ID.");
  CHECK_FALSE(runtime({"delete"}).ok());
}

CASE("delete: an error for a container that does not exist") {
  CITE(
      "runtime.md#delete: Attempting to delete a container that is not stopped MUST have no "
      "effect on the container and MUST generate an error.");
  REQUIRES(root());
  CHECK_FALSE(runtime({"delete", tag() + "-none"}).ok());
}

CASE("delete: an error for a running container, which goes on") {
  CITE(
      "runtime.md#delete: Attempting to delete a container that is not stopped MUST have no "
      "effect on the container and MUST generate an error.");
  REQUIRES(root());
  Waiting waiting;
  REQUIRE(waiting.start());
  CHECK_FALSE(waiting.container.remove().ok());
  CHECK(waiting.container.status() == "running");
}

CASE("delete: what create made is gone") {
  CITE(
      "runtime.md#delete: Deleting a container MUST delete the resources that were created "
      "during the create step.");
  REQUIRES(root());
  const Snapshot before;
  {
    Waiting waiting;
    REQUIRE(waiting.start());
    REQUIRE(waiting.end());
    CHECK(waiting.container.remove().ok());
    CHECK(waiting.container.status().empty());
  }
  CHECK(before.left_behind().empty());
}

CASE("delete: what the container did not make stays") {
  CITE(
      "runtime.md#delete: Note that resources associated with the container, but not created by "
      "this container, MUST NOT be deleted.");
  REQUIRES(root());
  const ScratchDirectory volume("volume");
  write_file(volume.path() / "precious", "data");
  Bundle bundle;
  CHECK(run(bundle.add_bind("/data", volume.path())).ok());
  CHECK(read_file(volume.path() / "precious") == "data");
  CHECK(std::filesystem::exists(bundle.rootfs() / "bin/guest"));
}

CASE("delete: the id may be used again") {
  CITE(
      "runtime.md#delete: Once a container is deleted its ID MAY be used by a subsequent "
      "container.");
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  CHECK(container.create().ok());
  CHECK(container.remove(true).ok());
  CHECK(container.create().ok());
}

CASE("linux: the standard streams are those of the caller") {
  CITE(
      "runtime-linux.md#file-descriptors: By default, only the stdin, stdout and stderr file "
      "descriptors are kept open for the application by the runtime.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(lines(run(bundle.guest({"fds"})).out).size() == 3);
}

CASE("linux: the links in /dev lead to the descriptors") {
  CITE(
      "runtime-linux.md#dev-symbolic-links: While creating the container (step 2 in the "
      "lifecycle), runtimes MUST create the following symlinks if the source file exists after "
      "processing mounts:");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome =
      run(bundle.guest({"stat", "/dev/fd", "/dev/stdin", "/dev/stdout", "/dev/stderr"}));
  CHECK(contains(outcome.out, "/dev/fd link"));
  for (const std::string target :
       {"/proc/self/fd\n", "/proc/self/fd/0\n", "/proc/self/fd/1\n", "/proc/self/fd/2\n"}) {
    CHECK(contains(outcome.out, "-> " + target));
  }
}

TEST_SUITE_END();
