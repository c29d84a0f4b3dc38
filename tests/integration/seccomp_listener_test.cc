// SPDX-License-Identifier: Apache-2.0
// SCMP_ACT_NOTIFY: how the listener gets to the agent, that no profile can keep it from getting
// there, and what happens without an agent.
#include "support/agent.h"
#include "support/suite.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

using namespace onggi::test;
using Errors = SeccompAgent::Errors;
namespace fs = std::filesystem;

namespace {

// Asks the agent at `path` about these calls.
Bundle& notify(Bundle& bundle, const Strings& names, const std::string& path) {
  bundle.set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW"})")
      .set("/linux/seccomp/listenerPath", path)
      .set_json("/linux/seccomp/syscalls", R"([{"names": [], "action": "SCMP_ACT_NOTIFY"}])");
  return bundle.set("/linux/seccomp/syscalls/0/names", names);
}

// A socket that somebody listens on who does not answer by himself.
class ListeningSocket {
 public:
  explicit ListeningSocket(const fs::path& path, int type = SOCK_STREAM)
      : fd_(socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    if (type == SOCK_STREAM) REQUIRE(listen(fd_, 4) == 0);
  }
  ~ListeningSocket() { close(fd_); }
  ListeningSocket(const ListeningSocket&) = delete;
  ListeningSocket& operator=(const ListeningSocket&) = delete;
  int accept() const { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  int fd_;
};

}  // namespace

TEST_SUITE_BEGIN("seccomp_listener");

CASE("the agent gets the listener by create and start, and answers the program") {
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  Bundle bundle;
  notify(bundle, {"mkdir", "getcwd"}, agent.path())
      .set("/linux/seccomp/listenerMetadata", "for the agent")
      .set_json("/annotations", R"({"org.example.key": "value"})")
      .guest({"syscall", "mkdir", "--", "cwd"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "syscall mkdir ENOMEDIUM\ncwd /\n");
  const auto messages = agent.messages();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].descriptors == 1);
  const rapidjson::Document state = parse_json(messages[0].text);
  CHECK(state["pid"].GetInt() == pid);
  CHECK(std::string(state["metadata"].GetString()) == "for the agent");
  REQUIRE(state["fds"].Size() == 1);
  CHECK(std::string(state["fds"][0].GetString()) == "seccompFd");
  CHECK(std::string(state["state"]["id"].GetString()) == container.id());
  CHECK(state["state"]["pid"].GetInt() == pid);
  CHECK(std::string(state["state"]["bundle"].GetString()) == bundle.path().string());
  CHECK(std::string(state["state"]["annotations"]["org.example.key"].GetString()) == "value");
  if (is_onggi()) CHECK(std::string(state["state"]["status"].GetString()) == "created");
}

CASE("the agent gets the listener by run") {
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  Bundle bundle;
  notify(bundle, {"mkdir", "getcwd"}, agent.path());
  for (size_t round = 1; round <= 2; round++) {
    const Outcome outcome = run(bundle.guest({"syscall", "mkdir", "--", "cwd"}));
    CHECK(outcome.ok());
    CHECK(outcome.out == "syscall mkdir ENOMEDIUM\ncwd /\n");
    CHECK(agent.messages().size() == round);
  }
  CHECK(agent.calls() == std::vector<int>{SYS_mkdir, SYS_getcwd, SYS_mkdir, SYS_getcwd});
}

CASE("run --detach passes the listener, too") {
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  Bundle bundle;
  notify(bundle, {"mkdir"}, agent.path()).guest({"syscall", "mkdir", "--", "pause"});
  Container container(bundle);
  REQUIRE(container.run({"--detach"}).ok());
  CHECK(container.wait_output("syscall mkdir ENOMEDIUM"));
  CHECK(agent.messages().size() == 1);
}

CASE("calls that the set-up makes after the load may be notified, whichever they are") {
  REQUIRES(root());
  REQUIRES(seccomp());
  EXCLUDES("runc", "1.1.5 refuses to notify write, and waits for itself with others");
  EXCLUDES("crun", "1.8.1 waits for ever where its own calls are notified");
  const Strings names = {"sendmsg", "sendto", "recvmsg",    "read",      "write",
                         "close",   "openat", "openat2",    "execve",    "execveat",
                         "mmap",    "statx",  "futex",      "nanosleep", "ppoll",
                         "prctl",   "capset", "setgroups",  "setresuid", "setresgid",
                         "chdir",   "exit",   "exit_group", "getcwd",    "prlimit64"};
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    SeccompAgent agent;
    Bundle bundle;
    notify(bundle, names, agent.path())
        .set("/process/noNewPrivileges", no_new_privileges)
        .set("/process/user/uid", 1000)
        .set("/process/user/gid", 1000)
        .guest({"id", "--", "caps"});
    const Outcome outcome = run(bundle);
    CHECK(outcome.ok());
    CHECK(value_of(outcome.out, "uid") == "1000 1000 1000");
    CHECK(value_of(outcome.out, "Seccomp") == "2");
    CHECK(agent.messages().size() == 1);
    const std::vector<int> calls = agent.calls();
    CHECK(std::count(calls.begin(), calls.end(), SYS_execve) == 1);
    CHECK(std::count(calls.begin(), calls.end(), SYS_capset) == 0);  // came before the load
  }
}

CASE("nothing of the way to the agent is left in the program") {
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent;
  Bundle bundle;
  notify(bundle, {"mkdir"}, agent.path())
      .guest({"processes", "--", "ls", "/proc/self/fd", "--", "cat", "/proc/self/status"});
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "processes") == "1");
  CHECK(value_of(outcome.out, "Threads:\t1") == "");
  CHECK(contains(outcome.out, "0\n1\n2\n"));
  CHECK_FALSE(contains(outcome.out, "\n4\n"));
}

CASE("a user namespace does not stand between the listener and the agent") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(user_namespaces());
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  Bundle bundle;
  notify(bundle, {"mkdir"}, agent.path())
      .set_namespace("user")
      .set_json("/linux/uidMappings", R"([{"containerID": 0, "hostID": 300000, "size": 1000}])")
      .set_json("/linux/gidMappings", R"([{"containerID": 0, "hostID": 300000, "size": 1000}])");
  REQUIRE(chown(bundle.rootfs().c_str(), 300000, 300000) == 0);
  for (const bool no_new_privileges : {true, false}) {
    bundle.set("/process/noNewPrivileges", no_new_privileges);
    const Outcome outcome = run(bundle.guest({"syscall", "mkdir"}));
    CHECK(outcome.out == "syscall mkdir ENOMEDIUM\n");
    CHECK(outcome.err == "");
  }
}

CASE("a real-time program does not starve the courier of its listener") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(capability(23, "CAP_SYS_NICE"));
  DEVIATES("runc", "1.1.5 does not know process.scheduler");
  DEVIATES("crun", "1.8.1 does not know process.scheduler");
  Bundle bundle;
  bundle.set_json("/process/scheduler", R"({"policy": "SCHED_FIFO", "priority": 5})");
  bundle.set_json(
      "/linux/resources",
      R"({"cpu": {"cpus": "0", "realtimeRuntime": 100000, "realtimePeriod": 1000000}})");
  REQUIRES((Need{run(bundle.guest({"echo", "ok"})).ok() || !is_onggi(),
                 "needs a host that gives real-time policies"}));
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  notify(bundle, {"mkdir"}, agent.path()).guest({"syscall", "mkdir", "--", "scheduling"});
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "syscall mkdir") == "ENOMEDIUM");
  CHECK(value_of(outcome.out, "policy") == "1");
}

CASE("without an agent create fails before it has done anything") {
  REQUIRES(root());
  REQUIRES(seccomp());
  const ScratchDirectory scratch("agent");
  const fs::path path = scratch.path() / "agent.sock";
  Bundle bundle;
  notify(bundle, {"mkdir"}, path);
  std::string reason = "no such file or directory";
  std::optional<ListeningSocket> socket;
  SUBCASE("nothing is there") {}
  SUBCASE("a file is there") {
    write_file(path, "x");
    reason = "connection refused";
  }
  SUBCASE("the agent has died") {
    const ListeningSocket died(path);
    reason = "connection refused";
  }
  SUBCASE("the agent takes datagrams") {
    socket.emplace(path, SOCK_DGRAM);
    reason = "protocol wrong type for socket";
  }
  const Outcome outcome = create(bundle);
  CHECK_FALSE(outcome.ok());
  if (!is_onggi()) return;
  CHECK(contains(outcome.err, "linux.seccomp.listenerPath: connect '" + path.string() + "'"));
  CHECK(contains(outcome.err, reason));
}

CASE("create does not bother the agent") {
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 loads the filter in create");
  DEVIATES("crun", "1.8.1 loads the filter in create");
  SeccompAgent agent;
  Bundle bundle;
  notify(bundle, {"mkdir"}, agent.path());
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.remove(true).ok());
  CHECK(agent.messages().empty());
}

CASE("an agent that goes away before start leaves the container as it was") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES((Need{is_onggi(), "other runtimes talk to the agent in create"}));
  const ScratchDirectory scratch("agent");
  const fs::path path = scratch.path() / "agent.sock";
  Bundle bundle;
  notify(bundle, {"mkdir"}, path).guest({"syscall", "mkdir"});
  Container container(bundle);
  {
    const SeccompAgent first;
    fs::rename(first.path(), path);
    REQUIRE(container.create().ok());
  }
  const Outcome refused = container.start();
  CHECK(refused.status == 1);
  CHECK(contains(refused.err, "linux.seccomp.listenerPath: connect"));
  CHECK(container.status() == "created");
  const SeccompAgent second(Errors{{SYS_mkdir, ENOMEDIUM}});
  fs::remove(path);
  fs::rename(second.path(), path);
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(container.output() == "syscall mkdir ENOMEDIUM\n");
}

CASE("start fails when the agent does not take the listener, and the program does not run") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES((Need{is_onggi(), "other runtimes talk to the agent in create"}));
  const ScratchDirectory scratch("agent");
  std::optional<ListeningSocket> socket(std::in_place, scratch.path() / "agent.sock");
  Bundle bundle;
  const fs::path fifo = bundle.rootfs() / "fifo";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  // The hook, whose listener the agent takes, holds init before the program's filter is loaded.
  bundle.set_json("/hooks/startContainer",
                  R"([{"path": "/bin/guest", "args": ["guest", "cat", "/fifo"]}])");
  notify(bundle, {"mkdir"}, scratch.path() / "agent.sock").guest({"echo", "it runs"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  Process start(runtime_command({"start", container.id()}));
  const int taken = socket->accept();
  const int held = open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  socket.reset();
  close(held);
  const Outcome outcome = start.wait();
  close(taken);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.seccomp.listenerPath: connect "));
  CHECK(container.wait_exit(pid) == 1);
  CHECK(container.status() == "stopped");
  CHECK(container.output() == "");
}

CASE("the agent's path may be of any length, and relative to the bundle") {
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 takes paths of 107 bytes only");
  DEVIATES("crun", "1.8.1 takes paths of 107 bytes only");
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  Bundle bundle;
  const fs::path deep = bundle.path() / std::string(120, 'd');
  fs::create_directory(deep);
  fs::rename(agent.path(), deep / "agent.sock");
  for (const std::string& path :
       {(deep / "agent.sock").string(), std::string(120, 'd') + "/agent.sock"}) {
    CAPTURE(path);
    notify(bundle, {"mkdir"}, path);
    CHECK(run(bundle.guest({"syscall", "mkdir"})).out == "syscall mkdir ENOMEDIUM\n");
  }
}

CASE("a large state reaches the agent whole") {
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent;
  Bundle bundle;
  notify(bundle, {"mkdir"}, agent.path());
  bundle.set("/annotations/large", std::string(600'000, 'x'));
  CHECK(run(bundle).ok());
  REQUIRE(agent.messages().size() == 1);
  CHECK(agent.messages()[0].descriptors == 1);
  const rapidjson::Document state = parse_json(agent.messages()[0].text);
  CHECK(state["state"]["annotations"]["large"].GetStringLength() == 600'000);
}

CASE("WAIT_KILLABLE_RECV goes with a listener, and means nothing without one") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(kernel(5, 19));
  DEVIATES("runc", "1.1.5 does not know the flag");
  DEVIATES("crun", "1.8.1 fails with these flags together");
  SeccompAgent agent(Errors{{SYS_mkdir, ENOMEDIUM}});
  Bundle bundle;
  notify(bundle, {"mkdir"}, agent.path())
      .set("/linux/seccomp/flags", Strings{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
                                           "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"});
  CHECK(run(bundle.guest({"syscall", "mkdir"})).out == "syscall mkdir ENOMEDIUM\n");
  bundle.set("/linux/seccomp/syscalls/0/action", "SCMP_ACT_ERRNO");
  CHECK(run(bundle).out == "syscall mkdir EPERM\n");
}

CASE("a listenerPath that no rule uses is not looked at") {
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 connects to it all the same");
  Bundle bundle;
  notify(bundle, {"mkdir"}, "/nowhere/agent.sock")
      .set("/linux/seccomp/syscalls/0/action", "SCMP_ACT_ERRNO");
  CHECK(run(bundle.guest({"syscall", "mkdir"})).out == "syscall mkdir EPERM\n");
}

CASE("an agent's answer stands for conditions on arguments, too") {
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_getpriority, ENOMEDIUM}});
  Bundle bundle;
  notify(bundle, {"getpriority"}, agent.path())
      .set_json("/linux/seccomp/syscalls/0/args",
                R"([{"index": 1, "value": 7, "op": "SCMP_CMP_EQ"}])");
  const Outcome outcome = run(
      bundle.guest({"syscall", "getpriority", "0", "0", "--", "syscall", "getpriority", "0", "7"}));
  CHECK(outcome.out == "syscall getpriority ok\nsyscall getpriority ENOMEDIUM\n");
  CHECK(agent.calls() == std::vector<int>{SYS_getpriority});
}

TEST_SUITE_END();
