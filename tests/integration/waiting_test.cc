// SPDX-License-Identifier: Apache-2.0
// No wait without an end: whoever is waited for may be killed, may stay silent, and the runtime may
// be told to end.
#include "executed.h"
#include "support/hooked.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
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
  if (is_onggi()) CHECK(contains(outcome.err, "the process that joins namespaces has died"));
  CHECK(running.container.status() == "running");
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
  bundle.set("/process/terminal", true).guest({"echo", "unread"}).write();
  const Container container(bundle);
  Strings words = {"/bin/sh", "-c", "exec \"$@\" >" + fifo, "sh"};
  for (const std::string& word :
       runtime_command({"run", "--bundle", bundle.path().string(), container.id()}))
    words.push_back(word);
  Process running(words);
  REQUIRE(container.wait_status("stopped"));
  running.kill(SIGTERM);
  CHECK(running.wait().status == 0);
  CHECK(container.status().empty());
  close(writer);
  close(reader);
}

TEST_SUITE_END();
