// SPDX-License-Identifier: Apache-2.0
// Hooks as real processes: /bin/sh with a script that leaves its findings in a scratch directory.
#include "hooks/hooks.h"

#include "linux/signals.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace onggi {
namespace {

namespace fs = std::filesystem;

// Owns what a spec::Hook points into.
class Script {
 public:
  explicit Script(std::string text, std::vector<std::string> env = {},
                  std::optional<uint32_t> timeout = {})
      : text_(std::move(text)), env_(std::move(env)) {
    hook_.path = "/bin/sh";
    hook_.args = {"sh", "-c", text_};
    hook_.env.emplace(env_.begin(), env_.end());
    hook_.timeout = timeout;
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  const spec::Hook& hook() const { return hook_; }

 private:
  std::string text_;
  std::vector<std::string> env_;
  spec::Hook hook_;
};

class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "onggi-hooks-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = fs::canonical(name);
  }
  ~Scratch() { fs::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  hooks::Point point(std::string_view state = "{}") const {
    return {.name = "createRuntime", .state = state, .directory = path_.string()};
  }
  std::string read(const std::string& name) const {
    std::ifstream file(path_ / name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

Result<> run(const Scratch& scratch, const spec::Hook& hook, std::string_view state = "{}") {
  return hooks::run({&hook, 1}, scratch.point(state));
}

std::string message_of(const Result<>& result) {
  return result ? "no error" : std::string(result.error().message.view());
}
std::string place_of(const Result<>& result) {
  return result ? "no error" : std::string(result.error().place.view());
}

// What a hook leaves behind becomes a child of the test, so that its end can be waited for.
class Subreaper {
 public:
  Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }
  ~Subreaper() { prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }
  Subreaper(const Subreaper&) = delete;
  Subreaper& operator=(const Subreaper&) = delete;
};

constexpr const char* kLeaveChild = "sleep 1000 & echo $! >child; ";

}  // namespace

TEST_SUITE_BEGIN("hooks");

TEST_CASE("hooks run one after the other, and the first failure ends it") {
  const Scratch scratch;
  const Script one("echo one >>ran"), two("echo two >>ran; exit 3"), three("echo three >>ran");
  const spec::Hook list[] = {one.hook(), two.hook(), three.hook()};
  const Result<> result = hooks::run(list, scratch.point());
  CHECK(scratch.read("ran") == "one\ntwo\n");
  CHECK(place_of(result) == "hooks.createRuntime[1]");
  CHECK(message_of(result) == "'/bin/sh' exited with status 3");
}

TEST_CASE("run_all runs the hooks behind a failing one") {
  const Scratch scratch;
  const Script one("exit 1"), two("echo two >ran");
  const spec::Hook list[] = {one.hook(), two.hook()};
  hooks::run_all(list, scratch.point());
  CHECK(scratch.read("ran") == "two\n");
}

TEST_CASE("each hook has the state document on its standard input") {
  const Scratch scratch;
  const Script one("cat >first"), two("cat >second");
  const spec::Hook list[] = {one.hook(), two.hook()};
  CHECK(hooks::run(list, scratch.point(R"({"id": "web"})")));
  CHECK(scratch.read("first") == R"({"id": "web"})");
  CHECK(scratch.read("second") == R"({"id": "web"})");
}

TEST_CASE("the environment is the one of the hook, and nothing else") {
  const Scratch scratch;
  setenv("ONGGI_TEST_LEAK", "1", 1);
  // What the shell was given, not what it makes of it.
  const char* const print = "tr '\\0' '|' </proc/$$/environ >env";
  const Script given(print, {"B=2", "A=1", "B=3"}), absent(print);
  CHECK(run(scratch, given.hook()));
  CHECK(scratch.read("env") == "B=2|A=1|B=3|");
  CHECK(run(scratch, absent.hook()));
  CHECK(scratch.read("env").empty());
  unsetenv("ONGGI_TEST_LEAK");
}

TEST_CASE("args are taken as they are, and the path is the file") {
  const Scratch scratch;
  const Script script("tr '\\0' '|' </proc/$$/cmdline >argv");
  spec::Hook hook = script.hook();
  hook.args[0] = "another name";
  CHECK(run(scratch, hook));
  CHECK(scratch.read("argv").starts_with("another name|-c|tr "));
}

TEST_CASE("without args the path is the only one") {
  const Scratch scratch;
  spec::Hook hook;
  hook.path = "/bin/sh";  // reads its commands from standard input
  CHECK(run(scratch, hook, "tr '\\0' '|' </proc/$$/cmdline >argv"));
  CHECK(scratch.read("argv") == "/bin/sh|");
}

TEST_CASE("the working directory is the one of the point") {
  const Scratch scratch;
  const Script script("pwd -P >cwd");
  CHECK(run(scratch, script.hook()));
  CHECK(scratch.read("cwd") == scratch.path().string() + "\n");
}

TEST_CASE("a working directory that does not exist is not taken for a missing program") {
  const Script script("exit 0");
  const spec::Hook list[] = {script.hook()};
  const Result<> result =
      hooks::run(list, {.name = "poststart", .state = "{}", .directory = "/no/such/bundle"});
  CHECK(message_of(result) == "open '/no/such/bundle'");
  CHECK(place_of(result) == "hooks.poststart[0]");
}

TEST_CASE("a hook has no signals blocked or ignored, and no descriptors but three") {
  const Scratch scratch;
  // By the shell itself: while it starts a program it has signals blocked.
  const Script script(
      "while read -r name value; do case $name in SigBlk: | SigIgn:) echo $name $value;; esac; "
      "done "
      "</proc/$$/status >signals; set -- /proc/$$/fd/*; echo $# >fds");
  const int leaked = dup(STDERR_FILENO);  // not close-on-exec
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  const auto action = signal(SIGHUP, SIG_IGN);
  CHECK(run(scratch, script.hook()));
  signal(SIGHUP, action);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  close(leaked);
  std::istringstream lines(scratch.read("signals"));
  std::string name;
  uint64_t blocked = ~uint64_t{0}, ignored = ~uint64_t{0};
  lines >> name >> std::hex >> blocked >> name >> ignored;
  CHECK(blocked == 0);
  CHECK((ignored & 0x7fffffff) == 0);   // 32 and 33 are glibc's own
  CHECK(scratch.read("fds") == "4\n");  // with that of the directory
}

TEST_CASE("a hook is the leader of a session, without our terminal") {
  const Scratch scratch;
  const Script script("cut -d ' ' -f 1,5,6 /proc/$$/stat >ids");
  CHECK(run(scratch, script.hook()));
  std::istringstream ids(scratch.read("ids"));
  int pid = 0, group = 0, session = 0;
  ids >> pid >> group >> session;
  CHECK(pid > 0);
  CHECK(group == pid);
  CHECK(session == pid);
}

TEST_CASE("the end of a failing hook's output is in the error, on one line") {
  const Scratch scratch;
  const Script both("echo to stdout; echo 'to  stderr' >&2; exit 7");
  CHECK(message_of(run(scratch, both.hook())) ==
        "'/bin/sh' exited with status 7: to stdout to stderr");
  const Script much("i=0; while [ $i -lt 500 ]; do echo line $i; i=$((i+1)); done; exit 1");
  const std::string message = message_of(run(scratch, much.hook()));
  CHECK(message.starts_with("'/bin/sh' exited with status 1: ..."));
  CHECK(message.ends_with("line 498 line 499"));
  CHECK(message.size() < 450);
}

TEST_CASE("cut output does not begin within a character") {
  const Scratch scratch;
  const Script script(
      "i=0; while [ $i -lt 300 ]; do printf '\\342\\202\\254'; i=$((i+1)); done; false");
  const std::string message = message_of(run(scratch, script.hook()));
  CHECK(message.find("...\xe2\x82\xac") != message.npos);
}

TEST_CASE("a hook that a signal ends has failed") {
  const Scratch scratch;
  const Script script("echo last words; kill -9 $$");
  CHECK(message_of(run(scratch, script.hook())) == "'/bin/sh' was killed by signal 9: last words");
}

TEST_CASE("a program that cannot be executed is named") {
  const Scratch scratch;
  const auto check = [&](const std::string& path, int errnum) {
    CAPTURE(path);
    spec::Hook hook;
    hook.path = path;
    const Result<> result = run(scratch, hook);
    CHECK(message_of(result) == "exec '" + path + "'");
    CHECK((result ? 0 : result.error().errnum) == errnum);
    CHECK(place_of(result) == "hooks.createRuntime[0]");
  };
  std::ofstream(scratch.path() / "data") << "no program\n";
  check("/no/such/hook", ENOENT);
  check((scratch.path() / "data").string(), EACCES);
  fs::permissions(scratch.path() / "data", fs::perms{0755});
  check((scratch.path() / "data").string(), ENOEXEC);
}

TEST_CASE("when the time is up the hook and its children are killed") {
  const Scratch scratch;
  const Subreaper subreaper;
  const Script script(std::string(kLeaveChild) + "echo waiting; wait", {}, 1);
  CHECK(message_of(run(scratch, script.hook())) ==
        "'/bin/sh' did not exit within 1 second: waiting");
  const pid_t child = atoi(scratch.read("child").c_str());
  REQUIRE(child > 0);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(kill(child, 0) == -1);
}

TEST_CASE("a hook that prints without end is killed, too") {
  const Scratch scratch;
  const Script script("while :; do echo again; done", {}, 1);
  CHECK(message_of(run(scratch, script.hook()))
            .starts_with("'/bin/sh' did not exit within 1 second: ..."));
}

TEST_CASE("a hook that ends in time is not hurt by its timeout") {
  const Scratch scratch;
  const Script script("exit 0", {}, 4'294'967'295);
  CHECK(run(scratch, script.hook()));
}

TEST_CASE("a process that a hook leaves behind may keep the output open, and lives on") {
  const Scratch scratch;
  const Subreaper subreaper;
  const auto ends_left = [&] {
    const pid_t child = atoi(scratch.read("child").c_str());
    REQUIRE(child > 0);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, nullptr, 0) == child);
  };
  const Script good(std::string(kLeaveChild) + "exit 0");
  CHECK(run(scratch, good.hook()));
  ends_left();
  const Script bad(std::string(kLeaveChild) + "echo too bad; exit 1");
  CHECK(message_of(run(scratch, bad.hook())) == "'/bin/sh' exited with status 1: too bad");
  ends_left();
}

TEST_CASE("a process that is left behind and goes on printing does not keep us") {
  const Scratch scratch;
  const Subreaper subreaper;
  const Script script("while :; do echo again; done & echo $! >child; exit 0");
  CHECK(run(scratch, script.hook()));
  CHECK(waitpid(atoi(scratch.read("child").c_str()), nullptr, 0) > 0);  // of SIGPIPE
}

TEST_CASE("a hook may print more than a pipe holds") {
  const Scratch scratch;
  const Script script("head -c 1048576 /dev/zero | tr '\\0' x; echo; echo the end; exit 1");
  CHECK(message_of(run(scratch, script.hook())).ends_with("x the end"));
}

TEST_CASE("a hook need not read a large state document, or can read it whole") {
  const Scratch scratch;
  const std::string state(200 * 1024, ' ');
  const Script ignores("exec <&-; exit 0"), reads("wc -c >size");
  CHECK(run(scratch, ignores.hook(), state));
  CHECK(run(scratch, reads.hook(), state));
  CHECK(atoi(scratch.read("size").c_str()) == 200 * 1024);
}

TEST_CASE("a signal that ends us ends the hook") {
  const Scratch scratch;
  sigset_t before;
  sigprocmask(SIG_SETMASK, nullptr, &before);
  Result<UniqueFd> signals = block_signals();
  REQUIRE(signals);
  const Script script("kill -TERM $PPID; sleep 1000");
  hooks::Point point = scratch.point();
  point.signals = signals->get();
  const Result<> result = hooks::run({&script.hook(), 1}, point);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  CHECK(message_of(result) == "interrupted by signal 15");
}

TEST_CASE("no child is left unreaped") {
  const Scratch scratch;
  const Script good("exit 0"), bad("exit 1");
  spec::Hook missing;
  missing.path = "/no/such/hook";
  for (const spec::Hook& hook : {good.hook(), bad.hook(), missing}) (void)run(scratch, hook);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);
  CHECK(errno == ECHILD);
}

TEST_SUITE_END();

}  // namespace onggi
