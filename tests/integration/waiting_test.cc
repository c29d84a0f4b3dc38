// SPDX-License-Identifier: Apache-2.0
// No wait without an end: whoever is waited for may be killed, may stay silent, and the runtime may
// be told to end.
#include "executed.h"
#include "support/hooked.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// A command whose system calls strace(1) tampers with: "setns:signal=SIGKILL".
Strings tampered(const std::string& injection, const Strings& command) {
  const std::string call = injection.substr(0, injection.find(':'));
  Strings words = {"/usr/bin/strace",    "-f", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                   "inject=" + injection};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

Strings words_of_file(const fs::path& path) {
  Strings words;
  std::string text = read_file(path);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

Strings children_of(pid_t pid) {
  const std::string number = std::to_string(pid);
  return words_of_file("/proc/" + number + "/task/" + number + "/children");
}

Strings run_command(const Bundle& bundle, const Container& container) {
  return runtime_command({"run", "--bundle", bundle.path().string(), container.id()});
}

// With a file as its standard output.
Strings redirected(const Strings& command, const std::string& file) {
  Strings words = {"/bin/sh", "-c", "exec \"$@\" >" + file, "sh"};
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

// A listener with a full queue.
struct BusyListener {
  BusyListener() : path((scratch.path() / "busy.sock").string()) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(listener, generic, sizeof address) == 0);
    REQUIRE(listen(listener, 0) == 0);
    for (;;) {
      clients.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (connect(clients.back(), generic, sizeof address) != 0) break;
    }
  }
  ~BusyListener() {
    for (const int client : clients) close(client);
    close(listener);
  }
  void accept_all() {
    for (const int client : clients) close(client);
    clients.clear();
    pollfd waiting = {.fd = listener, .events = POLLIN, .revents = 0};
    while (poll(&waiting, 1, 0) > 0) clients.push_back(accept(listener, nullptr, nullptr));
  }
  BusyListener(const BusyListener&) = delete;
  BusyListener& operator=(const BusyListener&) = delete;
  ScratchDirectory scratch{"busy"};
  std::string path;
  int listener = -1;
  std::vector<int> clients;
};

constexpr const char* kNoSuchRace = "a race that is lost at times, at the price of the time limit";

void race(const Strings& command) {
  for (int round = 0; round < 4; round++) {
    Running running;
    running.start();
    std::vector<std::unique_ptr<Process>> commands;
    for (int i = 0; i < 3; i++)
      commands.push_back(
          std::make_unique<Process>(exec_command(running.container, {}, {"exit", "0"})));
    usleep(static_cast<useconds_t>(round * 700));  // so that the ends come at different moments
    Strings ending = command;
    ending.push_back(running.container.id());
    if (command[0] == "kill") ending.emplace_back("KILL");
    const Outcome ended = runtime(ending);
    CHECK_MESSAGE(ended.ok(), ended.err);
    for (const auto& each : commands) (void)each->wait();
  }
}

}  // namespace

TEST_SUITE_BEGIN("waiting");

CASE("exec ends when the process that joins the container is killed") {
  REQUIRES(root());
  REQUIRES(file("/usr/bin/strace"));
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  const Outcome outcome =
      run_program(tampered("setns:signal=SIGKILL", exec_command(running.container, {}, {"echo"})));
  CHECK_FALSE(outcome.ok());
  if (is_onggi()) CHECK(contains(outcome.err, "the process that joins the namespaces died"));
  CHECK(running.container.status() == "running");
}

// Until its parent has waited for it, it is there without namespaces: they must not be taken for
// ours.
CASE("exec does not run on the host when the first process ends before it is joined") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  BusyListener busy;
  Bundle bundle;
  bundle.drop_namespace("pid").guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  const pid_t first = container.pid();
  Process exec(runtime_command({"exec", "--pidfd-socket", busy.path, container.id(), "/bin/sh",
                                "-c", "readlink /proc/self/ns/mnt"}));
  // It knows the process, and waits for the socket.
  REQUIRE(eventually([&] {
    std::error_code gone;
    for (const auto& entry :
         fs::directory_iterator("/proc/" + std::to_string(exec.pid()) + "/fd", gone))
      if (fs::read_symlink(entry.path(), gone) == "anon_inode:[pidfd]") return true;
    return false;
  }));
  REQUIRE(kill(first, SIGKILL) == 0);
  REQUIRE(eventually(
      [&] { return contains(read_file("/proc/" + std::to_string(first) + "/stat"), ") Z "); }));
  busy.accept_all();
  const Outcome outcome = exec.wait();
  CHECK(outcome.status == 255);
  CHECK(outcome.out == "");
  CHECK(contains(outcome.err, "container not running"));
}

CASE("a start whose init is killed before the program runs is an error") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  bundle.guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t init = container.pid();
  REQUIRE(kill(init, SIGSTOP) == 0);
  Process starting(runtime_command({"start", container.id()}));
  REQUIRE(eventually([&] {
    return contains(read_file("/proc/" + std::to_string(starting.pid()) + "/wchan"), "poll");
  }));
  REQUIRE(kill(init, SIGKILL) == 0);
  const Outcome outcome = starting.wait();
  CHECK_FALSE(outcome.ok());
  CHECK(contains(outcome.err, "onggi-init died before it could execute the program"));
}

CASE("a startContainer hook that kills init makes start fail") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Hooked hooked;
  hooked.bundle().drop_namespace("pid");
  hooked.add_json("startContainer", R"({"path": "/bin/guest", "args": ["guest", "kill-parent"]})");
  Container container(hooked.bundle());
  REQUIRE(container.create().ok());
  const Outcome outcome = container.start();
  CHECK_FALSE(outcome.ok());
  CHECK(contains(outcome.err, "onggi-init died"));
}

CASE("create ends when the process that joins a pid namespace is killed, and leaves nothing") {
  REQUIRES(root());
  REQUIRES(file("/usr/bin/strace"));
  Running running;
  running.start();
  Bundle bundle;
  bundle.guest({"pause"})
      .set_namespace("pid", "/proc/" + std::to_string(running.pid) + "/ns/pid")
      .write();
  Container container(bundle);
  const Outcome outcome = run_program(tampered("setns:signal=SIGKILL", container.create_command()));
  CHECK_FALSE(outcome.ok());
  CHECK(container.status().empty());
  if (is_onggi()) CHECK(container.create().ok());
}

CASE("a signal ends exec while the process that joins the container stays silent") {
  REQUIRES(root());
  REQUIRES(onggi_only());  // runc and crun have no promise for it
  REQUIRES(file("/usr/bin/strace"));
  Running running;
  running.start();
  Process traced(tampered("setns:signal=SIGSTOP", exec_command(running.container, {}, {"echo"})));
  // strace ─ exec ─ the process that joins
  Strings commands, joining;
  REQUIRE(eventually([&] {
    commands = children_of(traced.pid());
    joining = commands.empty() ? Strings{} : children_of(std::stoi(commands[0]));
    return !joining.empty();
  }));
  kill(std::stoi(commands[0]), SIGTERM);
  const Outcome outcome = traced.wait();
  CHECK_FALSE(outcome.ok());
  CHECK(contains(outcome.err, "interrupted by signal 15"));
}

CASE("exec beside kill --all: each ends") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  EXCLUDES("runc", kNoSuchRace);
  EXCLUDES("crun", kNoSuchRace);
  race({"kill", "--all"});
}

CASE("exec beside delete --force: each ends, and the container is gone") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  EXCLUDES("runc", kNoSuchRace);
  EXCLUDES("crun", kNoSuchRace);
  race({"delete", "--force"});
}

CASE("an exec that has been stopped does not keep delete --force from the container") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  EXCLUDES("runc", kNoSuchRace);
  Running running;
  running.start();
  const Process pausing(exec_command(running.container, {}, {"pause"}));
  REQUIRE(eventually([&] { return contains(pausing.output(), "ready"); }));
  pausing.kill(SIGSTOP);
  const Outcome removed = running.container.remove(true);
  CHECK_MESSAGE(removed.ok(), removed.err);
  CHECK(running.container.status().empty());
  pausing.kill(SIGCONT);
}

CASE("a signal ends run while a hook hangs that has no timeout") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  for (const char* point : {"createRuntime", "createContainer", "startContainer", "poststart"}) {
    CAPTURE(point);
    Hooked hooked;
    hooked.add(point, {.then = {"pause"}});
    hooked.bundle().guest({"pause"}).write();
    const Container container(hooked.bundle());
    Process running(
        runtime_command({"run", "--bundle", hooked.bundle().path().string(), container.id()}));
    REQUIRE(eventually([&] { return hooked.has_run(point); }));
    running.kill(SIGTERM);
    const Outcome outcome = running.wait();
    CHECK_FALSE(outcome.ok());
    CHECK(contains(outcome.err, "interrupted by signal 15"));
    CHECK(container.status().empty());
  }
}

CASE("a signal ends the poststop hook of run that hangs, and the container is gone") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Hooked hooked;
  hooked.add("poststop", {.then = {"pause"}});
  hooked.bundle().guest({"exit", "0"}).write();
  const Container container(hooked.bundle());
  Process running(
      runtime_command({"run", "--bundle", hooked.bundle().path().string(), container.id()}));
  REQUIRE(eventually([&] { return hooked.has_run("poststop"); }));
  running.kill(SIGTERM);
  (void)running.wait();
  CHECK(container.status().empty());
}

CASE("a signal ends run when nobody reads what is left in the terminal") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const ScratchDirectory scratch("unread");
  const std::string fifo = (scratch.path() / "fifo").string();
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  const int reader = open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const int writer = open(fifo.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const std::string page(4096, 'x');
  while (write(writer, page.data(), page.size()) > 0) {
  }
  Bundle bundle;
  bundle.set("/process/terminal", true)
      .guest({"write", "/shared/note", "x", "--", "echo", "unread"});
  const ScratchDirectory notes("notes");
  const fs::path note = notes.path() / "note";
  write_file(note, "");
  bundle.add_bind("/shared", notes.path()).write();
  const Container container(bundle);
  const Pty pty(24, 80);
  Spawn spawn;
  spawn.terminal = pty.slave;
  Process running(redirected(run_command(bundle, container), fifo), spawn);
  // The container is gone before all that it has written is read.
  REQUIRE(eventually([&] { return !read_file(note).empty(); }));
  CHECK(eventually([&] { return container.status().empty(); }));
  // One that comes too early is the program's.
  CHECK(eventually([&] {
    running.kill(SIGTERM);
    return contains(read_file("/proc/" + std::to_string(running.pid()) + "/stat"), ") Z ");
  }));
  (void)running.wait();
  CHECK(container.status().empty());
  close(writer);
  close(reader);
}

// Somebody has stopped looking at it: a stalled connection, a closed window of a multiplexer.
CASE("a terminal that nobody reads keeps neither delete --force nor run and exec") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("runc", "its run stays");
  DEVIATES("crun", "its exec stays");
  for (const std::string command : {"run", "exec"}) {
    CAPTURE(command);
    Bundle bundle;
    write_file(bundle.rootfs() / "much", std::string(200'000, 'x'));
    bundle.guest({"pause"}).write();
    Container container(bundle);
    const Pty pty(24, 80);
    Strings words;
    if (command == "run") {
      bundle.set("/process/terminal", true).guest({"cat", "/much", "--", "pause"}).write();
      words = run_command(bundle, container);
    } else {
      REQUIRE(container.create().ok());
      REQUIRE(container.start().ok());
      words = runtime_command(
          {"exec", "--tty", container.id(), "/bin/guest", "cat", "/much", "--", "pause"});
    }
    Spawn spawn;
    spawn.terminal = pty.slave;
    Process process(words, spawn);
    CHECK(eventually([&] {
      pollfd room = {.fd = pty.slave, .events = POLLOUT, .revents = 0};
      return poll(&room, 1, 0) == 0;
    }));
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
    // The rest of the output waits for its reader, but not for ever.
    CHECK(eventually([&] {
      process.kill(SIGTERM);
      return contains(read_file("/proc/" + std::to_string(process.pid()) + "/stat"), ") Z ");
    }));
    (void)process.wait();
  }
}

CASE("a console socket that does not accept is an error, also for a signal") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const BusyListener busy;
  Bundle bundle;
  bundle.set("/process/terminal", true).guest({"pause"}).write();
  const Container created(bundle);
  const Outcome outcome = run_program(created.create_command({"--console-socket", busy.path}));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "--console-socket: connect '" + busy.path + "'"));
  CHECK(contains(outcome.err, "connection timed out"));
  const Container container(bundle);
  Process running(runtime_command(
      {"run", "--bundle", bundle.path().string(), "--console-socket", busy.path, container.id()}));
  // It has blocked the signal, and waits.
  const std::string process = "/proc/" + std::to_string(running.pid()) + "/status";
  REQUIRE(eventually([&] { return contains(read_file(process), "SigBlk:\tfffffffffffbfeff"); }));
  running.kill(SIGTERM);
  CHECK(contains(running.wait().err, "interrupted by signal 15"));
  CHECK(container.status().empty());
}

CASE("a foreground terminal needs one of ours") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.set("/process/terminal", true).guest({"pass"}));
  CHECK_FALSE(outcome.ok());
  if (is_onggi())
    CHECK(contains(outcome.err, "process.terminal: is true, but standard input, output and"));
  Running running;
  running.start();
  const Outcome executed = running.exec({"pass"}, {"--tty"});
  CHECK_FALSE(executed.ok());
  if (is_onggi())
    CHECK(contains(executed.err, "--tty: standard input, output and error are not terminals"));
}

CASE("a listenerPath that no rule notifies is not waited for") {
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 needs an agent that it does not call");
  const BusyListener busy;
  Bundle bundle;
  bundle.guest({"echo", "ran"})
      .set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": )" +
                                      json_string(busy.path) + "}");
  const Outcome outcome = run(bundle);
  CHECK(outcome.out == "ran\n");
}

// Apache's httpd takes it for a request to stop.
CASE("a change of the window's size is no signal for a program without a terminal") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"signal-exit"}).write();
  const Container container(bundle);
  Process running(run_command(bundle, container));
  REQUIRE(eventually([&] { return contains(running.output(), "ready"); }));
  running.kill(SIGWINCH);
  running.kill(SIGUSR1);
  const Outcome outcome = running.wait();
  CHECK(outcome.ok());
  CHECK(contains(outcome.out, "signal 10"));
}

CASE("lines of a foreground terminal end in a line feed alone where the output is a file") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves CR LF");
  const ScratchDirectory scratch("lines");
  const std::string file = (scratch.path() / "output").string();
  Bundle bundle;
  bundle.set("/process/terminal", true).guest({"echo", "one", "--", "isatty"}).write();
  const Container container(bundle);
  const Pty pty(24, 80);
  Spawn spawn;
  spawn.terminal = pty.slave;
  CHECK(run_program(redirected(run_command(bundle, container), file), spawn).ok());
  CHECK(read_file(file) == "one\nisatty 0 yes\nisatty 1 yes\nisatty 2 yes\n");
}

TEST_SUITE_END();
