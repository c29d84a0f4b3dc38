// SPDX-License-Identifier: Apache-2.0
// config.md#process, #posix-process and #posix-platform-user: every property of the program.
#include "support/suite.h"

using namespace onggi::test;

namespace {

// A terminal of the runtime's making, with the guest's report on it.
std::string on_terminal(Bundle& bundle) {
  bundle.set("/process/terminal", true);
  const ConsoleSocket console;
  Container container(bundle);
  const Outcome created = container.create({"--console-socket", console.path()});
  CAPTURE(created.err);
  REQUIRE(created.ok());
  PtyMaster master = console.receive();
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(master.wait_for("end"));
  CHECK(container.wait_exit(pid) == 0);
  return master.text();
}

}  // namespace

TEST_SUITE_BEGIN("config_process");

CASE("process: no terminal unless it is asked for") {
  CITE(
      "config.md#process: terminal (bool, OPTIONAL) specifies whether a terminal is attached to "
      "the process, defaults to false.");
  REQUIRES(root());
  for (const bool is_set : {false, true}) {
    CAPTURE(is_set);
    Bundle bundle;
    bundle.guest({"isatty", "--", "session"});
    if (!is_set) bundle.erase("/process/terminal");
    const Outcome outcome = run(bundle);
    CHECK(contains(outcome.out, "isatty 0 no\nisatty 1 no\nisatty 2 no\n"));
    CHECK(value_of(outcome.out, "controlling-tty") == "no");
  }
}

CASE("process: the terminal is the controlling one") {
  CITE(
      "config.md#process: terminal (bool, OPTIONAL) specifies whether a terminal is attached to "
      "the process, defaults to false.");
  REQUIRES(root());
  Bundle bundle;
  const std::string text = on_terminal(bundle.guest({"session", "--", "echo", "end"}));
  CHECK(contains(text, "controlling-tty yes"));
}

CASE("process: consoleSize is the size of the terminal") {
  CITE(
      "config.md#process: consoleSize (object, OPTIONAL) specifies the console size in "
      "characters of the terminal.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/process/consoleSize", R"({"height": 33, "width": 111})");
  const std::string text = on_terminal(bundle.guest({"ttysize", "--", "echo", "end"}));
  CHECK(contains(text, "33 111"));
}

CASE("process: consoleSize is ignored where terminal is not set at all") {
  CITE("config.md#process: Runtimes MUST ignore consoleSize if terminal is false or unset.");
  REQUIRES(root());
  Bundle bundle;
  bundle.erase("/process/terminal").guest({"isatty"});
  bundle.set_json("/process/consoleSize", R"({"height": 10, "width": 20})");
  CHECK(contains(run(bundle).out, "isatty 0 no"));
}

CASE("process: cwd is the directory of the program, below mounts too") {
  CITE(
      "config.md#process: cwd (string, REQUIRED) is the working directory that will be set for "
      "the executable.");
  REQUIRES(root());
  for (const std::string directory : {"/", "/bin", "/dev/shm", "/proc/self"}) {
    CAPTURE(directory);
    Bundle bundle;
    const std::string cwd = run(bundle.set("/process/cwd", directory).guest({"cwd"})).out;
    CHECK(cwd == "cwd " + (directory == "/proc/self" ? std::string("/proc/1") : directory) + "\n");
  }
}

CASE("process: a missing cwd is an error") {
  CITE(
      "config.md#process: cwd (string, REQUIRED) is the working directory that will be set for "
      "the executable.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.erase("/process/cwd")).ok());
}

CASE("process: env keeps its order, blanks and equals signs") {
  CITE(
      "config.md#process: env (array of strings, OPTIONAL) with the same semantics as IEEE Std "
      "1003.1-2008's environ.");
  REQUIRES(root());
  const Strings wanted = {"Z=last first", "PATH=/bin", "EMPTY=", "EQUALS=a=b=c", "UTF8=옹기"};
  Bundle bundle;
  const Outcome outcome = run(bundle.set("/process/env", wanted).guest({"env"}));
  std::string text;
  for (const std::string& entry : wanted) text += "env " + entry + "\n";
  CHECK(contains(outcome.out, text));
}

CASE("process: nothing of the caller's environment is in the program's") {
  CITE(
      "config.md#process: env (array of strings, OPTIONAL) with the same semantics as IEEE Std "
      "1003.1-2008's environ.");
  REQUIRES(root());
  Spawn spawn;
  spawn.environment = {"FROM_CALLER=1"};
  Bundle bundle;
  CHECK_FALSE(contains(run(bundle.guest({"env"}), spawn).out, "FROM_CALLER"));
  bundle.erase("/process/env");
  CHECK_FALSE(contains(run(bundle, spawn).out, "FROM_CALLER"));
}

CASE("process: args keep blanks, quotes and empty words") {
  CITE(
      "config.md#process: args (array of strings, OPTIONAL) with similar semantics to IEEE Std "
      "1003.1-2008 execvp's argv.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.guest({"echo", "", "a  b", "'c'", "\"d\"", "$E", "*"})).out ==
        " a  b 'c' \"d\" $E *\n");
}

CASE("process: without args there is nothing to run") {
  CITE(
      "config.md#process: This specification extends the IEEE standard in that at least one "
      "entry is REQUIRED (non-Windows), and that entry is used with the same semantics as "
      "execvp's file.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 crashes when it is to start it");
  Bundle bundle;
  Container container(bundle.erase("/process/args"));
  CHECK_FALSE(container.create().ok());
}

CASE("process: a file with a slash is not looked up in PATH") {
  CITE(
      "config.md#process: This specification extends the IEEE standard in that at least one "
      "entry is REQUIRED (non-Windows), and that entry is used with the same semantics as "
      "execvp's file.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/env", Strings{"PATH=/bin"});
  bundle.set("/process/args", Strings{"./guest", "echo", "x"});
  CHECK_FALSE(run(bundle).ok());
  CHECK(run(bundle.set("/process/cwd", "/bin")).out == "x\n");
}

CASE("process: a file is looked up in the PATH of env, not in that of the caller") {
  CITE(
      "config.md#process: This specification extends the IEEE standard in that at least one "
      "entry is REQUIRED (non-Windows), and that entry is used with the same semantics as "
      "execvp's file.");
  REQUIRES(root());
  Bundle bundle;
  std::filesystem::create_directory(bundle.rootfs() / "other");
  std::filesystem::rename(bundle.rootfs() / "bin/guest", bundle.rootfs() / "other/guest");
  bundle.set("/process/args", Strings{"guest", "echo", "found"});
  CHECK_FALSE(run(bundle).ok());
  CHECK(run(bundle.set("/process/env", Strings{"PATH=/bin:/other"})).out == "found\n");
}

CASE("process: a program that cannot be executed is an error") {
  CITE(
      "config.md#process: This specification extends the IEEE standard in that at least one "
      "entry is REQUIRED (non-Windows), and that entry is used with the same semantics as "
      "execvp's file.");
  REQUIRES(root());
  Bundle bundle;
  write_file(bundle.rootfs() / "plain", "not a program");
  for (const std::string file : {"/plain", "/bin", "/no/such/file"}) {
    CAPTURE(file);
    CHECK_FALSE(run(bundle.set("/process/args", Strings{file})).ok());
  }
}

CASE("process: each of the rlimits matches") {
  CITE("config.md#posix-process: rlim.rlim_cur MUST match the configured value.");
  CITE("config.md#posix-process: rlim.rlim_max MUST match the configured value.");
  REQUIRES(root());
  REQUIRES(freestanding_init());  // the sanitizers reserve more than any limit on the address space
  // Different for each, below the usual hard limits, and enough to run with.
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"RLIMIT_AS", "600000001"},   {"RLIMIT_CORE", "602"},        {"RLIMIT_CPU", "603"},
      {"RLIMIT_DATA", "600000004"}, {"RLIMIT_FSIZE", "600000005"}, {"RLIMIT_LOCKS", "606"},
      {"RLIMIT_MEMLOCK", "607"},    {"RLIMIT_MSGQUEUE", "608"},    {"RLIMIT_NOFILE", "609"},
      {"RLIMIT_NPROC", "610"},      {"RLIMIT_RSS", "611"},         {"RLIMIT_RTTIME", "612"},
      {"RLIMIT_SIGPENDING", "613"}, {"RLIMIT_STACK", "6000014"}};
  Bundle bundle;
  bundle.guest({"rlimits"}).set_json("/process/rlimits", "[]");
  for (const auto& [type, value] : rows)
    bundle.set_json("/process/rlimits/-", R"({"type": ")" + type + R"(", "soft": )" + value +
                                              R"(, "hard": )" + value + "}");
  const Outcome outcome = run(bundle);
  CHECK_MESSAGE(outcome.ok(), outcome.err);
  for (const auto& [type, value] : rows) {
    CAPTURE(type);
    CHECK(value_of(outcome.out, type) == value + " " + value);
  }
}

CASE("process: an unlimited rlimit is the largest number") {
  CITE("config.md#posix-process: For each entry in rlimits, a getrlimit(3) on type MUST succeed.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"rlimits"})
      .set_json(
          "/process/rlimits",
          R"([{"type": "RLIMIT_CPU", "soft": 18446744073709551615, "hard": 18446744073709551615}])");
  CHECK(value_of(run(bundle).out, "RLIMIT_CPU") == "18446744073709551615 18446744073709551615");
}

CASE("process: a soft limit may be below the hard one, not above it") {
  CITE(
      "config.md#posix-process: hard (uint64, REQUIRED) the ceiling for the soft limit that "
      "could be set by an unprivileged process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"rlimits"});
  bundle.set_json("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}])");
  CHECK(value_of(run(bundle).out, "RLIMIT_NOFILE") == "100 200");
  bundle.set_json("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 200, "hard": 100}])");
  CHECK_FALSE(create(bundle).ok());
}

CASE("user: real, effective and saved ids are those of the config") {
  CITE(
      "config.md#posix-platform-user: uid (int, REQUIRED) specifies the user ID in the container "
      "namespace.");
  CITE(
      "config.md#posix-platform-user: gid (int, REQUIRED) specifies the group ID in the "
      "container namespace.");
  REQUIRES(root());
  for (const std::string id : {"0", "1", "65534", "2147483647"}) {
    CAPTURE(id);
    Bundle bundle;
    bundle.guest({"id"}).set_json("/process/user", R"({"uid": )" + id + R"(, "gid": )" + id + "}");
    const Outcome outcome = run(bundle);
    CHECK(value_of(outcome.out, "uid") == id + " " + id + " " + id);
    CHECK(value_of(outcome.out, "gid") == id + " " + id + " " + id);
  }
}

CASE("user: ids that are none are errors") {
  CITE(
      "config.md#valid-values: Runtimes MUST generate an error when invalid or unsupported "
      "values are encountered.");
  REQUIRES(root());
  for (const std::string id : {"-1", "4294967296", "1.5"}) {
    CAPTURE(id);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/process/user/uid", id)).ok());
    CHECK_FALSE(create(bundle.set("/process/user/uid", 0).set_json("/process/user/gid", id)).ok());
  }
}

TEST_SUITE_END();
