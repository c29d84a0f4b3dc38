// SPDX-License-Identifier: Apache-2.0
// NOTIFY_SOCKET: what a container's program says to its service manager. The tests are that
// manager.
#include "support/socket_message.h"
#include "support/suite.h"
#include "support/user_namespace.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <stdexcept>

using namespace onggi::test;

namespace {

constexpr const char* kTwoMessages = "sends MAINPID in a message of its own";

class ServiceManager {
 public:
  explicit ServiceManager(bool abstract = false) : directory_("notify") {
    fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    name_ = abstract ? "@" + tag() + "-notify" : (directory_.path() / "socket").string();
    memcpy(address.sun_path, name_.data(), name_.size());
    if (abstract) address.sun_path[0] = 0;
    const auto size =
        static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size() + (abstract ? 0 : 1));
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), size) != 0)
      throw std::runtime_error("bind");
    chmod_all();
  }
  ~ServiceManager() { close(fd_); }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  Spawn spawn() const { return {.environment = {"NOTIFY_SOCKET=" + name_}}; }
  bool has_message() const {
    pollfd ready = {fd_, POLLIN, 0};
    return poll(&ready, 1, 0) > 0;
  }
  // The next message; a descriptor that comes with it is closed, as systemd does it.
  std::string receive() const {
    if (!eventually([&] { return has_message(); })) return "<none>";
    SocketMessage message = receive_message(fd_);
    if (message.failed) return "<error>";
    for (const int fd : message.descriptors) close(fd);
    if (!message.descriptors.empty()) message.text += " (with a descriptor)";
    return message.text;
  }

 private:
  void chmod_all() const {
    if (name_[0] != '@') std::filesystem::permissions(name_, std::filesystem::perms{0777});
  }
  ScratchDirectory directory_;
  std::string name_;
  int fd_;
};

Strings run_command(const Bundle& bundle, const Container& container, const Strings& options) {
  bundle.write();
  Strings arguments = {"run", "--bundle", bundle.path().string()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(container.id());
  return runtime_command(arguments);
}

// `start` ends only after the container was ready and the manager has seen it.
void check_start(const Container& container, const ServiceManager& manager) {
  Process start(runtime_command({"start", container.id()}), manager.spawn());
  CHECK(manager.receive() == "MAINPID=" + std::to_string(container.pid()) + "\nREADY=1");
  CHECK(manager.receive() == "BARRIER=1 (with a descriptor)");
  const Outcome outcome = start.wait();
  CHECK(outcome.err == "");
  CHECK(outcome.status == 0);
  CHECK_FALSE(manager.has_message());
}

}  // namespace

TEST_SUITE_BEGIN("notify");

CASE("start returns when the container has said READY=1, and tells the service manager") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const ServiceManager manager;
  Bundle bundle;
  bundle.guest(
      {"notify", "STATUS=warming up", "--", "notify", "MAINPID=1\nREADY=1\n", "--", "pause"});
  Container container(bundle);
  REQUIRE(container.create({}, manager.spawn()).err == "");
  check_start(container, manager);
  CHECK(contains(container.output(), "notify /run/notify/notify.sock"));
  CHECK(container.status() == "running");
}

CASE("the same in a user namespace, over an abstract socket") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  const ServiceManager manager(true);
  Bundle bundle;
  give_to(bundle, 400000).guest({"notify", "READY=1", "--", "pause"});
  Container container(bundle);
  REQUIRE(container.create({}, manager.spawn()).err == "");
  check_start(container, manager);
}

CASE("run --detach waits for READY=1 too") {
  REQUIRES(root());
  DEVIATES("runc", kTwoMessages);
  DEVIATES("crun", kTwoMessages);
  const ServiceManager manager;
  Bundle bundle;
  bundle.guest({"notify", "READY=1", "--", "pause"});
  const Container container(bundle);
  Process run(run_command(bundle, container, {"--detach"}), manager.spawn());
  const std::string ready = manager.receive();
  CHECK(ready == "MAINPID=" + std::to_string(container.pid()) + "\nREADY=1");
  CHECK(manager.receive() == "BARRIER=1 (with a descriptor)");
  CHECK(run.wait().status == 0);
}

CASE("run in the foreground passes READY=1 on while it waits, and is the main process itself") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const ServiceManager manager;
  Bundle bundle;
  bundle.guest({"notify", "READY=1", "--", "pause"});
  const Container container(bundle);
  Process run(run_command(bundle, container, {}), manager.spawn());
  CHECK(manager.receive() == "MAINPID=" + std::to_string(run.pid()) + "\nREADY=1");
  CHECK(container.kill("KILL").ok());
  CHECK(run.wait().status == 128 + 9);
  CHECK_FALSE(manager.has_message());
}

CASE("a service manager that is gone does not end the container") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  const ScratchDirectory shared("shared");
  const auto gate = shared.path() / "gate";
  REQUIRE(mkfifo(gate.c_str(), 0600) == 0);
  bundle.add_bind("/shared", shared.path())
      .guest({"cat", "/shared/gate", "--", "notify", "READY=1", "--", "exit", "3"});
  const Container container(bundle);
  std::optional<ServiceManager> manager(std::in_place);
  Process run(run_command(bundle, container, {}), manager->spawn());
  const int end = open(gate.c_str(), O_WRONLY | O_CLOEXEC);  // waits until the program reads
  manager.reset();
  close(end);
  CHECK(run.wait().status == 3);
}

CASE("a container that ends without READY=1 ends the wait") {
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 waits for ever for a process that it looks up by its number");
  const ServiceManager manager;
  Bundle bundle;
  bundle.guest({"notify", "STOPPING=1", "--", "exit", "3"});
  Container container(bundle);
  REQUIRE(container.create({}, manager.spawn()).ok());
  const pid_t pid = container.pid();
  (void)runtime({"start", container.id()}, manager.spawn());
  CHECK(container.wait_exit(pid) == 3);
  CHECK_FALSE(manager.has_message());
}

CASE("kill and delete do not wait for a start that waits for READY=1") {
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 waits for ever for a process that it looks up by its number");
  const ServiceManager manager;
  Bundle bundle;
  bundle.guest({"echo", "up", "--", "pause"});
  Container container(bundle);
  REQUIRE(container.create({}, manager.spawn()).ok());
  Process start(runtime_command({"start", container.id()}), manager.spawn());
  CHECK(container.wait_output("up"));
  CHECK(container.remove(true).ok());
  (void)start.wait();
  CHECK_FALSE(manager.has_message());
}

CASE("a terminating signal ends the wait of run --detach and takes the container back") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const ServiceManager manager;
  Bundle bundle;
  bundle.guest({"echo", "up", "--", "pause"});
  const Container container(bundle);
  Process run(run_command(bundle, container, {"--detach"}), manager.spawn());
  CHECK(eventually([&] { return contains(run.output(), "up"); }));
  run.kill(SIGTERM);
  const Outcome outcome = run.wait();
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "interrupted by signal 15"));
  CHECK(container.status() == "");
}

CASE("a NOTIFY_SOCKET that nobody listens on is an error before anything is made") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  for (const char* command : {"create", "run"}) {
    bundle.write();
    const Container container(bundle);
    const Outcome outcome = runtime({command, "--bundle", bundle.path().string(), container.id()},
                                    {.environment = {"NOTIFY_SOCKET=/nonexistent/socket"}});
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "connect '/nonexistent/socket'"));
    CHECK(contains(outcome.err, "NOTIFY_SOCKET"));
    CHECK(container.status() == "");
  }
}

CASE("without NOTIFY_SOCKET the container has none, and no mount for it") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"env", "--", "mounts"});
  const Outcome outcome = run(bundle);
  CHECK_FALSE(contains(outcome.out, "NOTIFY_SOCKET"));
  CHECK_FALSE(contains(outcome.out, "/run/notify"));
}

TEST_SUITE_END();
