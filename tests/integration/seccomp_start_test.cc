// SPDX-License-Identifier: Apache-2.0
// The start of a program under a filter that forbids what a runtime does for it.
#include "executed.h"

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

std::string rule(const std::string& names, const std::string& action) {
  return R"({"names": [)" + names + R"(], "action": ")" + action + R"("})";
}

Bundle& filter(Bundle& bundle, const std::string& rules,
               const std::string& fallback = "SCMP_ACT_ALLOW") {
  return bundle.set_json("/linux/seccomp", R"({"defaultAction": ")" + fallback +
                                               R"(", "architectures": ["SCMP_ARCH_X86_64"],
                                                   "syscalls": [)" +
                                               rules + "]}");
}

}  // namespace

TEST_SUITE_BEGIN("seccomp_start");

CASE("a program starts where execveat(2) is forbidden") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(seccomp());
  for (const bool no_new_privileges : {true, false}) {
    for (const std::string action : {"SCMP_ACT_ERRNO", "SCMP_ACT_KILL_PROCESS"}) {
      CAPTURE(no_new_privileges);
      CAPTURE(action);
      Running running;
      running.bundle.set("/process/noNewPrivileges", no_new_privileges);
      filter(running.bundle, rule(R"("execveat")", action));
      running.start();
      CHECK(running.exec({"echo", "x"}).out == "x\n");
    }
  }
}

CASE("execve(2) is the only call that has to be allowed") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(onggi_only());
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    Bundle bundle;
    bundle.set("/process/noNewPrivileges", no_new_privileges).set("/process/user/uid", 1000);
    filter(bundle, rule(R"("execve")", "SCMP_ACT_ALLOW"), "SCMP_ACT_KILL_PROCESS");
    // The program itself is killed at its first call; an error of ours would be another status.
    CHECK(run(bundle.guest({"echo", "x"})).status == 128 + 31);
  }
}

CASE("a filter that kills at execve(2) is an error, which the log has too") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(onggi_only());
  for (const std::string action :
       {"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL", "SCMP_ACT_TRAP"}) {
    for (const bool no_new_privileges : {true, false}) {
      CAPTURE(action);
      CAPTURE(no_new_privileges);
      Bundle bundle;
      bundle.set("/process/noNewPrivileges", no_new_privileges);
      filter(bundle, rule(R"("execve", "sendmsg", "exit_group")", action));
      const std::string words = "linux.seccomp: the filter kills a process that calls execve(2)";
      const Outcome ran = run(bundle);
      CHECK(ran.status == 1);
      CHECK(contains(ran.err, words));
      const fs::path log = bundle.path() / "log";
      Container container(bundle);
      REQUIRE(container.create().ok());
      const Outcome started = runtime({"--log", log, "start", container.id()});
      CHECK(started.status == 1);
      CHECK(contains(read_file(log), words));
    }
  }
}

CASE("a filter that refuses execve(2) is named as the cause") {
  REQUIRES(root());
  REQUIRES(seccomp());
  EXCLUDES("runc", "1.1.5 waits for itself");
  Bundle bundle;
  filter(bundle, rule(R"("execve", "sendmsg", "write", "exit_group")", "SCMP_ACT_ERRNO"));
  const Outcome outcome = run(bundle);
  CHECK_FALSE(outcome.ok());
  if (!is_onggi()) return;
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "process.args[0]: exec '/bin/guest': operation not permitted"));
  CHECK(contains(outcome.err, "linux.seccomp does not allow execve(2)"));
}

CASE("why a program does not start is said, whatever the filter forbids") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(onggi_only());
  for (const std::string action : {"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO", "SCMP_ACT_TRAP"}) {
    for (const bool no_new_privileges : {true, false}) {
      CAPTURE(action);
      CAPTURE(no_new_privileges);
      Running running;
      write_file(running.bundle.rootfs() / "bin/text", "no program\n");
      fs::permissions(running.bundle.rootfs() / "bin/text", fs::perms::all);
      running.bundle.set("/process/noNewPrivileges", no_new_privileges);
      filter(
          running.bundle,
          rule(R"("sendmsg", "sendto", "write", "writev", "exit", "exit_group", "close", "openat",
                     "statx", "munmap", "futex", "rt_sigaction", "tgkill")",
               action));
      const std::string words = "process.args[0]: exec '/bin/text': exec format error";
      running.bundle.set("/process/args", Strings{"/bin/text"});
      const Outcome ran = run(running.bundle);
      CHECK(ran.status == 1);
      CHECK(contains(ran.err, words));
      running.create();
      const Outcome started = running.container.start();
      CHECK(started.status == 1);
      CHECK(contains(started.err, words));
    }
  }
}

CASE("the credentials are changed before the filter comes, with and without noNewPrivileges") {
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "without noNewPrivileges its filter comes before the credentials");
  DEVIATES("crun", "without noNewPrivileges its filter comes before the credentials");
  Bundle bundle;
  filter(bundle, rule(R"("setresuid", "setuid", "capset", "setgroups")", "SCMP_ACT_KILL_PROCESS"));
  bundle.set("/process/user/uid", 1000).guest({"id", "--", "caps"});
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    const Outcome outcome = run(bundle.set("/process/noNewPrivileges", no_new_privileges));
    CHECK(value_of(outcome.out, "uid") == "1000 1000 1000");
    CHECK(value_of(outcome.out, "CapEff") == "0000000000000000");
    CHECK(value_of(outcome.out, "CapPrm") == "0000000000000000");
    CHECK(value_of(outcome.out, "Seccomp") == "2");
  }
}

TEST_SUITE_END();
