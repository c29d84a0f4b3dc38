// SPDX-License-Identifier: Apache-2.0
// What a process of the container gets out of one that joins it: nothing, up to the execve of the
// program.
#include "executed.h"
#include "support/socket_message.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <thread>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// An agent that takes the listener and never answers, so that a program that is notified at its
// execve(2) stays before it.
class SilentAgent {
 public:
  explicit SilentAgent(const fs::path& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(fd_, 4) == 0);
  }
  ~SilentAgent() {
    for (const int fd : {listener_, fd_}) close(fd);
  }
  SilentAgent(const SilentAgent&) = delete;
  SilentAgent& operator=(const SilentAgent&) = delete;

  // Until a process is in its execve(2).
  void wait_for_execve() {
    const int connection = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    const SocketMessage message = receive_message(connection);
    REQUIRE(message.descriptors.size() == 1);
    listener_ = message.descriptors[0];
    close(connection);
    pollfd ready{.fd = listener_, .events = POLLIN, .revents = 0};
    REQUIRE(poll(&ready, 1, -1) == 1);
  }
  void go_away() { close(std::exchange(listener_, -1)); }

 private:
  int fd_, listener_ = -1;
};

}  // namespace

TEST_SUITE_BEGIN("tracing");

CASE("a process that is about to execute the program gives nothing to the container's root") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(seccomp());
  EXCLUDES("runc", "1.1.5 waits for itself where its own calls are notified");
  EXCLUDES("crun", "1.8.1 waits for itself where its own calls are notified");
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    Running running;
    running.start();  // without a filter: the one that looks
    Running joined;
    const std::string pids = "/proc/" + std::to_string(running.pid) + "/ns/pid";
    const fs::path socket = joined.bundle.path() / "agent.sock";
    SilentAgent agent(socket);
    joined.bundle.set_namespace("pid", pids)
        .set("/process/noNewPrivileges", no_new_privileges)
        .set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW",
            "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_NOTIFY"}]})")
        .set("/linux/seccomp/listenerPath", socket.string());
    joined.create();
    std::thread starting([&] { (void)joined.container.start(); });
    agent.wait_for_execve();
    const pid_t first = joined.container.pid();
    const std::string status = read_file("/proc/" + std::to_string(first) + "/status");
    const std::string inside = status.substr(status.find("NSpid:"));
    const std::string pid = inside.substr(0, inside.find('\n'))
                                .substr(inside.substr(0, inside.find('\n')).rfind('\t') + 1);
    CHECK(running.exec({"trace", pid}).out == "traced there\n");
    agent.go_away();
    starting.join();
    CHECK(joined.container.wait_exit(first) == 1);
  }
}

CASE("nobody in a container gets hold of a process that joins it") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  for (const bool filtered : {false, true}) {
    CAPTURE(filtered);
    Running running;
    running.bundle.writable_root().guest({"hunt", "/end"});
    if (filtered)
      running.bundle.set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW"})");
    running.create();
    REQUIRE(running.container.start().ok());
    REQUIRE(running.container.wait_output("ready"));
    running.pid = running.container.pid();
    for (int round = 0; round < 30; round++) CHECK(running.exec({"exit", "0"}).ok());
    for (int round = 0; round < 5; round++) {
      Bundle joined;
      joined.set_namespace("pid", "/proc/" + std::to_string(running.pid) + "/ns/pid");
      CHECK(run(joined.guest({"exit", "0"})).ok());
    }
    write_file(running.bundle.rootfs() / "end", "");
    CHECK(running.container.wait_exit(running.pid) == 0);
    CHECK(running.container.output() == "ready\nhunted\n");
  }
}

TEST_SUITE_END();
