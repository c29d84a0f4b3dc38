// SPDX-License-Identifier: Apache-2.0
// Terminals and descriptors: the console socket, a foreground terminal, what is inherited and what
// is not.
#include "support/suite.h"

#include <fcntl.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// A pipe whose reading end already holds a text.
struct FilledPipe {
  explicit FilledPipe(std::string_view text) {
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  ~FilledPipe() {
    close(ends[0]);
    close(ends[1]);
  }
  FilledPipe(const FilledPipe&) = delete;
  FilledPipe& operator=(const FilledPipe&) = delete;
  int ends[2] = {-1, -1};
};

}  // namespace

TEST_SUITE_BEGIN("terminal");

CASE("the console socket receives the master of the container's terminal") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true)
      .set_json("/process/consoleSize", R"({"height": 25, "width": 90})");
  bundle.guest({"isatty", "--", "ttysize", "--", "session", "--", "stat", "/dev/console", "--",
                "open", "/dev/console", "rw", "--", "echo", "end"});
  const ConsoleSocket console;
  Container container(bundle);
  REQUIRE(container.create({"--console-socket", console.path()}).ok());
  PtyMaster master = console.receive();
  REQUIRE(master.fd() >= 0);
  CHECK(isatty(master.fd()) == 1);
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(master.wait_for("end\r\n"));
  CHECK(container.wait_exit(pid) == 0);
  const std::string& text = master.text();
  CHECK(contains(text, "isatty 0 yes\r\nisatty 1 yes\r\nisatty 2 yes\r\n"));
  CHECK(contains(text, "ttysize 25 90\r\n"));
  CHECK(contains(text, "controlling-tty yes\r\n"));
  CHECK(contains(text, "/dev/console "));
  CHECK(contains(text, "open /dev/console: ok\r\n"));
}

// containerd reads what `create` prints until the end of the pipe, and would wait forever.
CASE("a created container with a terminal does not hold the output of create") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true).guest({"exit", "0"});
  const ConsoleSocket console;
  Container container(bundle);
  REQUIRE(container.create({"--console-socket", console.path()}).ok());
  const PtyMaster master = console.receive();
  const fs::path descriptors = "/proc/" + std::to_string(container.pid()) + "/fd";
  for (const char* stream : {"0", "1", "2"}) {
    CAPTURE(stream);
    CHECK(contains(fs::read_symlink(descriptors / stream).string(), "/dev/pts/"));
  }
}

CASE("what is typed into the master reaches the program") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true).guest({"pass"});
  const ConsoleSocket console;
  Container container(bundle);
  REQUIRE(container.create({"--console-socket", console.path()}).ok());
  PtyMaster master = console.receive();
  REQUIRE(master.fd() >= 0);
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  master.write("hello\n\x04");
  CHECK(master.wait_for("hello\r\nhello\r\n"));
  CHECK(container.wait_exit(pid) == 0);
}

CASE("a terminal works for an ordinary user, who owns it") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true)
      .set("/process/user/uid", 1000)
      .guest({"stat", "/dev/pts/0", "--", "echo", "end"});
  const ConsoleSocket console;
  Container container(bundle);
  REQUIRE(container.create({"--console-socket", console.path()}).ok());
  PtyMaster master = console.receive();
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(master.wait_for("end\r\n"));
  CHECK(container.wait_exit(pid) == 0);
  CHECK(contains(master.text(), "/dev/pts/0 char 0620 1000 5"));
}

CASE("create with a terminal and no console socket is an error") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = create(bundle.set("/process/terminal", true));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "console"));
}

CASE("a console socket that nobody listens on is an error that leaves nothing") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true);
  Container container(bundle);
  const Outcome outcome =
      container.create({"--console-socket", (bundle.path() / "nobody.sock").string()});
  CHECK(outcome.status == 1);
  if (is_onggi()) CHECK(contains(outcome.err, "nobody.sock"));
}

CASE("run in a terminal gives the program a terminal of its own with the same size") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true)
      .guest({"isatty", "--", "ttysize", "--", "session", "--", "exit", "5"})
      .write();
  const Container container(bundle);
  Pty pty(33, 111);
  Spawn spawn;
  spawn.terminal = pty.slave;
  Process running(runtime_command({"run", "--bundle", bundle.path().string(), container.id()}),
                  spawn);
  CHECK(pty.master.wait_for("controlling-tty yes"));
  CHECK(running.wait().status == 5);
  CHECK(contains(pty.master.text(), "isatty 0 yes"));
  if (is_onggi()) CHECK(contains(pty.master.text(), "ttysize 33 111"));
}

CASE("input in a foreground terminal reaches the program") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true).guest({"echo", "ready", "--", "pass"}).write();
  const Container container(bundle);
  Pty pty(24, 80);
  Spawn spawn;
  spawn.terminal = pty.slave;
  Process running(runtime_command({"run", "--bundle", bundle.path().string(), container.id()}),
                  spawn);
  CHECK(pty.master.wait_for("ready"));
  pty.master.write("typed\n");
  CHECK(pty.master.wait_for("typed\r\ntyped"));
  pty.master.write("\x04");
  CHECK(running.wait().ok());
}

CASE("only the three standard descriptors reach the program") {
  REQUIRES(root());
  const FilledPipe pipe("leak");
  Bundle bundle;
  Spawn spawn;
  spawn.extra_fds = {pipe.ends[0], pipe.ends[0], pipe.ends[0]};
  const Outcome outcome = run(bundle.guest({"fds"}), spawn);
  CHECK(lines(outcome.out).size() == 3);
  CHECK(contains(outcome.out, "fd 2 "));
}

CASE("only the three standard descriptors reach a created program") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  bundle.guest({"fds"});
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  CHECK(lines(container.output()).size() == 3);
}

CASE("--preserve-fds keeps that many descriptors") {
  REQUIRES(root());
  const FilledPipe first("one"), second("two"), third("three");
  Bundle bundle;
  Spawn spawn;
  spawn.extra_fds = {first.ends[0], second.ends[0], third.ends[0]};
  bundle.guest({"read-fd", "3", "--", "read-fd", "4", "--", "fds"});
  Container container(bundle);
  const Outcome outcome = container.run({"--preserve-fds", "2"}, spawn);
  CHECK(value_of(outcome.out, "read-fd 3") == "one");
  CHECK(value_of(outcome.out, "read-fd 4") == "two");
  CHECK_FALSE(contains(outcome.out, "fd 5 "));
}

CASE("--preserve-fds with a closed descriptor is an error that leaves nothing") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes its own descriptors for the caller's");
  DEVIATES("crun", "1.8.1 does not look");
  Bundle bundle;
  Container container(bundle);
  CHECK(container.run({"--preserve-fds", "3"}).status == 1);
}

CASE("LISTEN_FDS are passed and announced") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 passes them without setting LISTEN_FDS");
  const FilledPipe first("socket"), second("more");
  Bundle bundle;
  bundle.guest({"env", "--", "read-fd", "3", "--", "read-fd", "4", "--", "fds"}).write();
  const Container container(bundle);
  // LISTEN_PID must be the runtime's own pid, so a shell sets it before it becomes the runtime.
  std::string command = "export LISTEN_PID=$$; exec";
  for (const std::string& word : runtime_command(
           {"run", "--bundle", bundle.path().string(), "--preserve-fds", "1", container.id()})) {
    command += " '" + word + "'";
  }
  Spawn spawn;
  spawn.extra_fds = {first.ends[0], second.ends[0]};
  spawn.environment = {"LISTEN_FDS=1"};
  const Outcome outcome = run_program({"/bin/sh", "-c", command}, spawn);
  CHECK(contains(outcome.out, "env LISTEN_FDS=1\n"));
  CHECK(contains(outcome.out, "env LISTEN_PID=1\n"));
  CHECK(value_of(outcome.out, "read-fd 3") == "socket");
  CHECK(value_of(outcome.out, "read-fd 4") == "more");
  CHECK_FALSE(contains(outcome.out, "fd 5 "));
}

CASE("a working directory in /proc/self/fd is refused (checklist 13)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not check");
  const FilledPipe pipe("x");
  const int host_root = open("/", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  REQUIRE(host_root >= 0);
  Spawn spawn;
  spawn.extra_fds = {host_root};
  int refused = 0;
  for (int fd = 3; fd < 12; fd++) {
    Bundle bundle;
    bundle.set("/process/cwd", "/proc/self/fd/" + std::to_string(fd))
        .guest({"cwd", "--", "ls", "."});
    const Outcome outcome = run(bundle, spawn);
    refused += outcome.ok() ? 0 : 1;
    CHECK_FALSE(contains(outcome.out, "usr\n"));
    if (is_onggi()) CHECK(contains(outcome.err, "process.cwd: "));
  }
  close(host_root);
  CHECK(refused == 9);
}

TEST_SUITE_END();
