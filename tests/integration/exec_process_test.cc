// SPDX-License-Identifier: Apache-2.0
// exec --process, as engines call it: every field of the document counts, and nothing of the
// container's own process does. And the containers that take more to join.
#include "executed.h"
#include "support/agent.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// With more fields behind the program's words.
std::string document(const Strings& words, const std::string& more = "") {
  std::string args = R"("/bin/guest")";
  for (const std::string& word : words) args += ", " + json_string(word);
  return R"({"cwd": "/", "args": [)" + args + "]" + (more.empty() ? "" : ", " + more) + "}";
}

struct BadDocument {
  const char* text;
  const char* error;
};
constexpr BadDocument kBadDocuments[] = {
    {"", ":1:1: the document is empty"},
    {"[]", ": must be an object"},
    {R"({"cwd": "/"})", "process.args: must name a program"},
    {R"({"args": ["x"]})", ": cwd: is required"},
    {R"({"cwd": "here", "args": ["x"]})", ": cwd: must be an absolute path"},
    {R"({"cwd": "/", "args": ["x"], "env": ["A"]})", ": env[0]: must have the form NAME=value"},
    {R"({"cwd": "/", "args": ["x"], "user": {"uid": 4294967296}})", ": user.uid: "},
    {R"({"cwd": "/", "args": ["x"], "oomScoreAdj": 1001})", ": oomScoreAdj: "},
    {R"({"cwd": "/", "args": ["x"], "execCPUAffinity": {"final": "3-1"}})",
     ": execCPUAffinity.final: "},
    {R"({"process": {"cwd": "/", "args": ["x"]}})", ": must hold the process object alone"},
};

}  // namespace

TEST_SUITE_BEGIN("exec_process");

CASE("the document says all of the process") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.set("/process/env", Strings{"CONTAINER=1"});
  fs::create_directory(running.bundle.rootfs() / "srv");
  running.start();
  const Outcome outcome = running.exec_document(
      R"({"cwd": "/srv",
          "args": ["guest", "env", "--", "cwd", "--", "id", "--", "caps", "--", "rlimits", "--",
                   "oom-score-adj", "--", "scheduling"],
          "env": ["PATH=/bin", "A=1", "A=2", "HOME=/h"],
          "user": {"uid": 0, "gid": 100, "umask": 63, "additionalGids": [5, 20]},
          "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"], "permitted": ["CAP_KILL"],
                           "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"],
                           "ambient": ["CAP_KILL"]},
          "rlimits": [{"type": "RLIMIT_CORE", "soft": 64, "hard": 128}],
          "noNewPrivileges": true,
          "oomScoreAdj": 250,
          "scheduler": {"policy": "SCHED_BATCH", "nice": 3},
          "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 6}})");
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "env A=2\n"));
  CHECK(contains(outcome.out, "env HOME=/h\n"));
  CHECK_FALSE(contains(outcome.out, "CONTAINER"));
  CHECK(contains(outcome.out, "cwd /srv\n"));
  CHECK(contains(outcome.out, "gid 100 100 100\n"));
  CHECK(value_of(outcome.out, "groups").ends_with("5 20"));
  CHECK(value_of(outcome.out, "CapBnd") == "0000000000000021");
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    CHECK(value_of(outcome.out, set) == "0000000000000020");
  CHECK(value_of(outcome.out, "NoNewPrivs") == "1");
  CHECK(value_of(outcome.out, "RLIMIT_CORE") == "64 128");
  if (!is_onggi()) return;  // what follows the rivals of these versions do not apply
  CHECK(value_of(outcome.out, "umask") == "0077");
  CHECK(value_of(outcome.out, "oom-score-adj") == "250");
  CHECK(value_of(outcome.out, "policy") == "3");
  CHECK(value_of(outcome.out, "nice") == "3");
  CHECK(value_of(outcome.out, "ioprio") == std::to_string(2 << 13 | 6));
}

CASE("capabilities that the document leaves out are the container's, limits are not") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.set_json("/process/rlimits",
                          R"([{"type": "RLIMIT_CORE", "soft": 100, "hard": 200}])");
  running.start();
  const Outcome outcome = running.exec_document(document({"caps", "--", "rlimits"}));
  CHECK(value_of(outcome.out, "CapBnd") == "0000000020000420");
  CHECK(value_of(outcome.out, "RLIMIT_CORE") != "100 200");
}

CASE("the document's terminal, with its size") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  EXCLUDES("crun", "1.8.1 sets the size when the program may run already");
  Running running;
  running.start();
  const ConsoleSocket console;
  const std::string process =
      document({"ttysize", "--", "stat", "/dev/console", "--", "echo", "end"},
               R"("terminal": true, "consoleSize": {"height": 25, "width": 90})");
  const fs::path file = running.bundle.path() / "pid";
  REQUIRE(running
              .exec_document(process, {"--detach", "--console-socket", console.path(), "--pid-file",
                                       file.string()})
              .ok());
  PtyMaster master = console.receive();
  CHECK(master.wait_for("end\r\n"));
  CHECK(contains(master.text(), "ttysize 25 90\r\n"));
  CHECK(contains(master.text(), "stat /dev/console: ENOENT"));  // it is the first process's
  CHECK(running.container.wait_exit(std::stoi(read_file(file))) == 1);
}

CASE("CPUs of the program by execCPUAffinity") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES((Need{sysconf(_SC_NPROCESSORS_ONLN) > 1, "needs two CPUs"}));
  DEVIATES("runc", "1.1.5 does not know it");
  DEVIATES("crun", "1.8.1 does not know it");
  Running running;
  running.start();
  const auto cpus = [&](const char* affinity) {
    return running
        .exec_document(document({"cpus"}, std::string(R"("execCPUAffinity": )") + affinity))
        .out;
  };
  CHECK(cpus(R"({"initial": "0", "final": "1"})") == "cpus 1\n");
  CHECK(cpus(R"({"final": "0"})") == "cpus 0\n");
  CHECK(cpus(R"({"initial": "1"})") == running.exec({"cpus"}).out);
}

CASE("a document that is wrong is an error with its place") {
  REQUIRES(root());
  if (!is_onggi()) return;
  Running running;
  running.start();
  for (const BadDocument& bad : kBadDocuments) {
    CAPTURE(bad.text);
    const Outcome outcome = running.exec_document(bad.text);
    CHECK(outcome.status == 255);
    CHECK_MESSAGE(contains(outcome.err, bad.error), outcome.err);
    if (!contains(bad.error, "process.args"))
      CHECK_MESSAGE(contains(outcome.err, ": --process"), outcome.err);
  }
  CHECK(running.exec({}, {"--process", "/no/such/file"}).status == 255);
}

CASE("a flag that is wrong is named itself, not a field of config.json") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  if (!is_onggi()) return;
  Running running;
  running.start();
  const std::pair<Strings, const char*> cases[] = {
      {{"--env", "A"}, ": --env: must have the form NAME=value"},
      {{"--cwd", "relative"}, ": --cwd: must be an absolute path"},
      {{"--cwd", "/no/such/directory"}, ": --cwd: "},
      {{"--user", "4294967295"}, ": --user: "},
      {{"--cap", "NET_ADMIN"}, "did you mean CAP_NET_ADMIN?"},
      {{"--user", "nobody"}, "--user 'nobody' must be numeric: UID or UID:GID"},
      {{"--preserve-fds", "1"}, "--preserve-fds: descriptor 3 is not open"},
  };
  for (const auto& [flags, wanted] : cases) {
    CAPTURE(flags[0]);
    const Outcome outcome = running.exec({"echo"}, flags);
    CHECK(outcome.status == 255);
    CHECK_MESSAGE(contains(outcome.err, wanted), outcome.err);
  }
}

CASE("flags that the document would make void are refused beside it") {
  REQUIRES(root());
  if (!is_onggi()) return;
  Running running;
  running.start();
  for (const Strings& flags :
       {Strings{"--cwd", "/"}, Strings{"--env", "A=1"}, Strings{"--user", "1"},
        Strings{"--cap", "CAP_KILL"}, Strings{"--no-new-privs"}}) {
    const Outcome outcome = running.exec_document(document({"echo"}), flags);
    CHECK(outcome.status == 255);
    CHECK(contains(outcome.err, flags[0] + " cannot be combined with --process"));
  }
  const Outcome nothing = runtime({"exec", running.container.id()});
  CHECK(nothing.status == 255);
  CHECK(contains(nothing.err, "no program to run"));
}

CASE("the ids of a container with a user namespace are its own") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(user_namespaces());
  Running running;
  Bundle& bundle = running.bundle;
  bundle.set_namespace("user")
      .set_json("/linux/uidMappings", R"([{"containerID":0,"hostID":100000,"size":65536}])")
      .set_json("/linux/gidMappings", R"([{"containerID":0,"hostID":200000,"size":65536}])");
  bundle.drop_mount("/sys").drop_mount("/sys/fs/cgroup");  // not for every rival here
  REQUIRE(chown(bundle.rootfs().c_str(), 100000, 200000) == 0);
  running.start();
  CHECK(contains(running.exec({"id"}).out, "uid 0 0 0\ngid 0 0 0\n"));
  const Outcome outcome = running.exec_document(
      document({"id", "--", "rlimits", "--", "caps", "--", "cat", "/proc/self/uid_map"},
               R"("user": {"uid": 1000, "gid": 1000, "additionalGids": [7]},
                  "rlimits": [{"type": "RLIMIT_CORE", "soft": 50, "hard": 60}],
                  "capabilities": {"bounding": ["CAP_SYS_ADMIN"]})"));
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "uid 1000 1000 1000\ngid 1000 1000 1000\n"));
  CHECK(value_of(outcome.out, "groups").ends_with("7"));
  CHECK(value_of(outcome.out, "RLIMIT_CORE") == "50 60");
  CHECK(value_of(outcome.out, "CapBnd") == "0000000000200000");
  CHECK(contains(outcome.out, "100000"));
}

CASE("in a container without namespaces the root is the container's") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("runc", "1.1.5 cannot run such a container");
  DEVIATES("crun", "1.8.1 insists on /dev");
  Running running;
  running.bundle.set_json("/linux/namespaces", "[]")
      .set_json("/mounts", "[]")
      .set_json("/linux/maskedPaths", "[]")
      .set_json("/linux/readonlyPaths", "[]")
      .writable_root()
      .erase("/hostname");
  running.start();
  const Outcome outcome = running.exec({"ls", "/", "--", "cwd"});
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "bin\n"));
  CHECK_FALSE(contains(outcome.out, "usr\n"));
  CHECK(contains(outcome.out, "cwd /\n"));
}

CASE("in a container without pivot_root the root is the container's") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  REQUIRE(running.container.create({"--no-pivot"}).ok());
  REQUIRE(running.container.start().ok());
  const Outcome outcome = running.exec({"ls", "/"});
  CHECK(contains(outcome.out, "bin\n"));
  CHECK_FALSE(contains(outcome.out, "usr\n"));
}

CASE("the seccomp agent is asked about the program, too") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(seccomp());
  SeccompAgent agent(SeccompAgent::Errors{{SYS_mkdir, ENOMEDIUM}});
  Running running;
  running.bundle
      .set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
          [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]})")
      .set("/linux/seccomp/listenerPath", agent.path());
  running.start();
  const Outcome outcome = running.exec({"syscall", "mkdir", "--", "session"});
  CHECK(value_of(outcome.out, "syscall mkdir") == "ENOMEDIUM");
  const auto messages = agent.messages();
  REQUIRE(messages.size() == 2);
  CHECK(messages[1].descriptors == 1);
  const rapidjson::Document state = parse_json(messages[1].text);
  CHECK(state["pid"].GetInt() != running.pid);
  if (runtime_name() == "crun") return;  // 1.8.1 sends a state without them
  CHECK(state["state"]["pid"].GetInt() == running.pid);
  CHECK(std::string(state["state"]["status"].GetString()) == "running");
}

CASE("the session keyring is the container's, unless it has none") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("crun", "1.8.1 joins none");
  for (const bool own : {true, false}) {
    Running running;
    running.bundle.set_json("/linux/maskedPaths", "[]");
    REQUIRE(running.container.create(own ? Strings{} : Strings{"--no-new-keyring"}).ok());
    REQUIRE(running.container.start().ok());
    const std::string keys = running.exec({"cat", "/proc/keys"}).out;
    CHECK(contains(keys, "_ses." + running.container.id()) == own);
  }
}

TEST_SUITE_END();
