// SPDX-License-Identifier: Apache-2.0
// exec that is refused or fails: in which words, with which status, and what is left then.
#include "executed.h"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// Engines do not look at the case.
std::string lower_case(std::string text) {
  for (char& c : text) c = static_cast<char>(tolower(c));
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("exec_failure");

CASE("there is nothing to execute in a container that has stopped or does not exist") {
  REQUIRES(root());
  Running running;
  running.start();
  CHECK(running.container.kill("KILL").ok());
  REQUIRE(running.container.wait_status("stopped"));
  const Outcome stopped = running.exec({"echo"});
  CHECK_FALSE(stopped.ok());
  if (is_onggi()) {
    CHECK(stopped.status == 255);
    CHECK(contains(stopped.err, "cannot exec in a stopped container"));
  }
  const Outcome unknown = runtime({"exec", "nobody", "/bin/guest", "echo"});
  CHECK_FALSE(unknown.ok());
  if (!is_onggi()) return;
  CHECK(contains(unknown.err, "container 'nobody' does not exist"));
  CHECK(unknown.status == 255);
}

CASE("exec in a paused container is refused, unless it may wait") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(cgroup_controller("freezer"));
  EXCLUDES("crun", "1.8.1 waits, and has no --ignore-paused");
  Running running;
  running.start();
  REQUIRE(running.container.command("pause").ok());
  const Outcome refused = running.exec({"echo", "never"});
  CHECK(refused.status == 255);
  CHECK(contains(refused.err, "paused"));
  Process waiting(exec_command(running.container, {"--ignore-paused"}, {"echo", "resumed"}));
  CHECK(running.container.command("resume").ok());
  const Outcome outcome = waiting.wait();
  CHECK(outcome.ok());
  CHECK(outcome.out == "resumed\n");
}

CASE("a user is a number, or two with a colon") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  CHECK(contains(running.exec({"id"}, {"-u", "1"}).out, "uid 1 1 1\ngid 0 0 0\n"));
  if (!is_onggi()) return;
  for (const char* wrong : {"-1", "4294967295", "4294967296", "1x", "1:", ":1", "root", "1:1:1"}) {
    CAPTURE(wrong);
    CHECK(running.exec({"id"}, {"--user", wrong}).status == 255);
  }
}

CASE("a terminal needs a place to go to") {
  REQUIRES(root());
  Running running;
  running.start();
  const Outcome outcome = running.exec({"echo"}, {"--tty", "--detach"});
  CHECK_FALSE(outcome.ok());
  if (is_onggi()) CHECK(contains(outcome.err, "--console-socket"));
}

CASE("a working directory outside of the container is refused (checklist 13)") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("crun", "1.8.1 does not check");
  Running running;
  running.start();
  const int host_root = open("/", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  Spawn spawn;
  spawn.extra_fds = {host_root};
  for (int fd = 3; fd < 12; fd++) {
    const Outcome outcome =
        running.exec({"ls", "."}, {"--cwd", "/proc/self/fd/" + std::to_string(fd)}, spawn);
    CHECK_FALSE(outcome.ok());
    CHECK_FALSE(contains(outcome.out, "usr\n"));
  }
  close(host_root);
}

CASE("a working directory that is missing is an error, and is not made") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.writable_root();
  running.start();
  const Outcome outcome = running.exec({"cwd"}, {"--cwd", "/missing"});
  CHECK_FALSE(outcome.ok());
  if (is_onggi()) CHECK(contains(outcome.err, "--cwd: "));
  CHECK_FALSE(fs::exists(running.bundle.rootfs() / "missing"));
}

CASE("what exec cannot execute is an error that engines understand (checklist 14)") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  struct Row {
    const char* program;
    const char* phrase;
  };
  constexpr Row kRows[] = {{"nowhere", "executable file not found in $path"},
                           {"/bin/nowhere", "no such file or directory"},
                           {"/bin", "directory"},
                           {"/bin/data", "permission denied"}};
  Running running;
  write_file(running.bundle.rootfs() / "bin/data", "x");
  running.start();
  const fs::path file = running.bundle.path() / "pid";
  for (const Row& row : kRows) {
    CAPTURE(row.program);
    const Outcome outcome =
        runtime({"exec", "--pid-file", file.string(), running.container.id(), row.program});
    CHECK_FALSE(outcome.ok());
    const std::string text = lower_case(outcome.err);
    if (!is_onggi()) continue;
    CHECK(contains(text, row.phrase));
    CHECK(outcome.status == 255);
    CHECK_FALSE(fs::exists(file));
  }
  if (!is_onggi()) return;
  // Found only by the kernel, when the program is to begin.
  write_file(running.bundle.rootfs() / "bin/script", "#!/no/interpreter\n");
  fs::permissions(running.bundle.rootfs() / "bin/script", fs::perms{0755});
  const Outcome script =
      runtime({"exec", "--pid-file", file.string(), running.container.id(), "/bin/script"});
  CHECK(script.status == 255);
  CHECK(contains(script.err, "interpreter or dynamic loader is missing"));
  CHECK_FALSE(fs::exists(file));
}

TEST_SUITE_END();
