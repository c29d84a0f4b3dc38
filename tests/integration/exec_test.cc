// SPDX-License-Identifier: Apache-2.0
// exec with a command line: what the program gets, what becomes of it, and what others see of it.
#include "executed.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// "pid:[4026531836]" of each kind, as the guest prints them.
std::string namespaces_of(pid_t pid) {
  std::string text;
  for (const char* name : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    const fs::path link = "/proc/" + std::to_string(pid) + "/ns/" + name;
    text += "ns " + fs::read_symlink(link).string() + "\n";
  }
  return text;
}

int processes_in(const Running& running) {
  return std::stoi(value_of(running.exec({"processes"}).out, "processes"));
}

}  // namespace

TEST_SUITE_BEGIN("exec");

CASE("a program in the container, with its output and exit status") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  const Outcome outcome = running.exec({"echo", "one", "--", "complain", "two", "--", "exit", "7"});
  CHECK(outcome.status == 7);
  CHECK(outcome.out == "one\n");
  CHECK(outcome.err == "two\n");
  Spawn spawn;
  spawn.input = "typed";
  CHECK(running.exec({"pass"}, {}, spawn).out == "typed");
  CHECK(running.exec({"crash"}).status == 128 + SIGILL);
  CHECK(running.container.status() == "running");
}

CASE("exec prints nothing of its own, also where the log has a warning") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.set_json("/process/capabilities",
                          R"({"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"],
                              "permitted": ["CAP_KILL"], "ambient": ["CAP_KILL"]})");
  running.start();
  const Outcome outcome = running.exec({"echo", "one"});
  CHECK(outcome.ok());
  CHECK(outcome.out == "one\n");
  CHECK(outcome.err == "");
}

CASE("options of the program are not the runtime's") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  CHECK(running.exec({"echo", "--env", "-d", "--", "echo", "--help"}).out == "--env -d\n--help\n");
}

CASE("all namespaces are those of the first process") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  const Outcome outcome = running.exec({"ns", "--", "hostname"});
  CHECK(outcome.out == namespaces_of(running.pid) + "hostname guest\n");
}

CASE("the namespaces are those of the container, wherever the caller is") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(file("/usr/bin/unshare"));
  DEVIATES("runc", "1.1.5 joins what the configuration names");
  Running running;
  running.bundle.drop_namespace("network");
  running.start();
  Strings argv = {"/usr/bin/unshare", "--net"};
  for (const std::string& word : exec_command(running.container, {}, {"ns"})) argv.push_back(word);
  CHECK(run_program(argv).out == namespaces_of(running.pid));
}

CASE("the program is in the container's cgroup") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.drop_namespace("cgroup");
  running.start();
  const std::string own = read_file("/proc/" + std::to_string(running.pid) + "/cgroup");
  CHECK(running.exec({"cgroup"}).out == own);
}

CASE("--cgroup names a cgroup below the container's") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(cgroup_v1());
  REQUIRES(cgroup_controller("pids"));
  DEVIATES("crun", "1.8.1 takes no controllers");
  Running running;
  running.bundle.drop_namespace("cgroup");
  running.start();
  const fs::path below = cgroup_directory(running.pid, "pids") / "batch";
  fs::create_directory(below);
  const Outcome outcome = running.exec({"cgroup"}, {"--cgroup", "pids:/batch"});
  CHECK(contains(outcome.out,
                 ":pids:" + below.string().substr(std::string("/sys/fs/cgroup/pids").size())));
  CHECK_FALSE(contains(value_of(outcome.out, "1:"), "batch"));
  CHECK_FALSE(running.exec({"cgroup"}, {"--cgroup", "pids:../../.."}).ok());
  if (is_onggi()) {
    const Outcome missing = running.exec({"cgroup"}, {"--cgroup", "pids:none"});
    CHECK(missing.status == 255);
    CHECK(contains(missing.err, "--cgroup: "));
    CHECK(contains(missing.err, "no such file or directory"));
    const Outcome unknown = running.exec({"cgroup"}, {"--cgroup", "pads:batch"});
    CHECK(unknown.status == 255);
    CHECK(contains(unknown.err, "no cgroup with the controller 'pads'"));
  }
  fs::remove(below);
}

CASE("a created container can be looked into, and stays created") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.guest({"exit", "3"});
  running.create();
  const pid_t pid = running.container.pid();
  CHECK(running.exec({"echo", "inside"}).out == "inside\n");
  CHECK(running.container.status() == "created");
  CHECK(running.container.start().ok());
  CHECK(running.container.wait_exit(pid) == 3);
}

CASE("environment, directory, user and groups by options") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("crun", "1.8.1 has no --additional-gids");
  Running running;
  running.bundle.set("/process/env", Strings{"PATH=/bin", "A=config", "B=config"});
  fs::create_directory(running.bundle.rootfs() / "srv");
  running.start();
  const Outcome outcome =
      running.exec({"env", "--", "cwd", "--", "id"},
                   {"--env", "A=option", "--env", "C=option", "--cwd", "/srv", "--user", "1000:100",
                    "--additional-gids", "5", "--additional-gids", "20"});
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "env A=option\n"));
  CHECK_FALSE(contains(outcome.out, "env A=config\n"));
  CHECK(contains(outcome.out, "env B=config\n"));
  CHECK(contains(outcome.out, "env C=option\n"));
  CHECK(contains(outcome.out, "env HOME=/\n"));
  CHECK(contains(outcome.out, "cwd /srv\n"));
  CHECK(contains(outcome.out, "uid 1000 1000 1000\ngid 100 100 100\n"));
  CHECK(value_of(outcome.out, "groups").ends_with("5 20"));
}

CASE("HOME comes from the container's passwd") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  fs::create_directory(running.bundle.rootfs() / "etc");
  write_file(running.bundle.rootfs() / "etc/passwd", "a:x:1000:100::/home/a:/bin/sh\n");
  running.start();
  CHECK(contains(running.exec({"env"}, {"--user", "1000"}).out, "env HOME=/home/a\n"));
}

CASE("a capability that is asked for is not inheritable") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("crun", "1.8.1 makes it inheritable and ambient");
  Running running;
  running.start();
  const std::string without = running.exec({"caps"}).out;
  const std::string with = running.exec({"caps"}, {"--cap", "CAP_NET_RAW"}).out;
  CHECK(value_of(without, "CapBnd") == "0000000020000420");
  for (const char* set : {"CapBnd", "CapPrm", "CapEff"})
    CHECK(value_of(with, set) == "0000000020002420");
  for (const char* set : {"CapInh", "CapAmb"}) CHECK(value_of(with, set) == "0000000000000000");
  if (is_onggi()) CHECK(running.exec({"caps"}, {"--cap", "CAP_MISSPELT"}).status == 255);
}

// A user other than root has nothing but what is ambient.
CASE("a capability that is asked for is effective for any user where it is inheritable") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("crun", "1.8.1 takes it in the place of the container's sets");
  constexpr const char *kNone = "0000000000000000", *kKill = "0000000000000020";
  constexpr const char *kAll = "0000000020000420", *kMore = "0000000020002420";
  struct Row {
    const char *inheritable, *user, *capability;
    const char *bounding, *permitted, *ambient;
  };
  constexpr const char *kTwo = R"(["CAP_KILL", "CAP_AUDIT_WRITE"])",
                       *kInherited = "0000000020000020";
  const Row rows[] = {
      {kTwo, "0", "CAP_KILL", kAll, kAll, kKill},
      {kTwo, "1000", "CAP_KILL", kAll, kKill, kKill},
      {kTwo, "0", "CAP_NET_RAW", kMore, kMore, kNone},
      {kTwo, "1000", "CAP_NET_RAW", kMore, kNone, kNone},
      {"[]", "0", "CAP_KILL", kAll, kAll, kNone},
      {"[]", "1000", "CAP_KILL", kAll, kNone, kNone},
  };
  for (const Row& row : rows) {
    CAPTURE(row.inheritable);
    CAPTURE(row.user);
    CAPTURE(row.capability);
    Running running;
    running.bundle.set_json("/process/capabilities/inheritable", row.inheritable);
    running.start();
    const std::string sets =
        running.exec({"caps"}, {"--user", row.user, "--cap", row.capability}).out;
    CHECK(value_of(sets, "CapBnd") == row.bounding);
    CHECK(value_of(sets, "CapPrm") == row.permitted);
    CHECK(value_of(sets, "CapEff") == row.permitted);
    CHECK(value_of(sets, "CapInh") == (row.inheritable == kTwo ? kInherited : kNone));
    CHECK(value_of(sets, "CapAmb") == row.ambient);
  }
}

CASE("no_new_privs is the container's, and can be set for one program") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.bundle.set("/process/noNewPrivileges", false);
  running.start();
  CHECK(value_of(running.exec({"caps"}).out, "NoNewPrivs") == "0");
  CHECK(value_of(running.exec({"caps"}, {"--no-new-privs"}).out, "NoNewPrivs") == "1");
}

CASE("limits and seccomp are those of the container") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 has the caller's limits");
  Running running;
  running.bundle
      .set_json("/process/rlimits", R"([{"type": "RLIMIT_CORE", "soft": 100, "hard": 200}])")
      .set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
          [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO", "errnoRet": 123}]})");
  running.start();
  const Outcome outcome = running.exec({"rlimits", "--", "caps", "--", "syscall", "mkdir"});
  CHECK(value_of(outcome.out, "RLIMIT_CORE") == "100 200");
  CHECK(value_of(outcome.out, "Seccomp") == "2");
  CHECK(value_of(outcome.out, "syscall mkdir") == "ENOMEDIUM");
}

CASE("umask and OOM score are those of the container") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("runc", "1.1.5 has an umask of its own");
  DEVIATES("crun", "1.8.1 has an umask of its own, and the caller's OOM score");
  Running running;
  running.bundle.set("/process/user/umask", 027).set("/process/oomScoreAdj", 300);
  running.start();
  const Outcome outcome = running.exec({"id", "--", "oom-score-adj"});
  CHECK(value_of(outcome.out, "umask") == "0027");
  CHECK(value_of(outcome.out, "oom-score-adj") == "300");
}

CASE("what is edited in the bundle after create changes nothing") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("runc", "1.1.5 reads the bundle again");
  Running running;
  running.start();
  running.bundle.set("/process/user/uid", 1000).set("/process/env", Strings{"EDITED=1"}).write();
  const Outcome outcome = running.exec({"id", "--", "env"});
  CHECK(contains(outcome.out, "uid 0 0 0\n"));
  CHECK_FALSE(contains(outcome.out, "EDITED"));
}

CASE("a foreground terminal has the size of ours, and passes what is typed") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  Pty pty(33, 111);
  Spawn spawn;
  spawn.terminal = pty.slave;
  Process program(
      exec_command(running.container, {"--tty"},
                   {"isatty", "--", "ttysize", "--", "session", "--", "echo", "now", "--", "pass"}),
      spawn);
  CHECK(pty.master.wait_for("now\r\n"));
  CHECK(contains(pty.master.text(), "isatty 0 yes"));
  if (is_onggi()) CHECK(contains(pty.master.text(), "ttysize 33 111"));
  CHECK(contains(pty.master.text(), "controlling-tty yes"));
  pty.master.write("typed\n");
  CHECK(pty.master.wait_for("typed\r\ntyped"));
  pty.master.write("\x04");
  CHECK(program.wait().ok());
}

CASE("a detached program has its terminal at the console socket") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  const ConsoleSocket console;
  const fs::path file = running.bundle.path() / "pid";
  CHECK(running
            .exec({"isatty", "--", "pass"}, {"--tty", "--detach", "--console-socket",
                                             console.path(), "--pid-file", file.string()})
            .ok());
  PtyMaster master = console.receive();
  REQUIRE(master.fd() >= 0);
  CHECK(master.wait_for("isatty 2 yes\r\n"));
  const pid_t pid = std::stoi(read_file(file));
  master.write("\x04");
  CHECK(running.container.wait_exit(pid) == 0);
}

CASE("exec --detach returns while the program runs, and its pid file names it") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  const fs::path file = running.bundle.path() / "pid";
  const auto output = std::make_shared<Capture>();
  Spawn spawn;
  spawn.out = output;
  CHECK(running.exec({"signal-exit"}, {"--detach", "--pid-file", file.string()}, spawn).ok());
  const pid_t pid = std::stoi(read_file(file));
  CHECK(namespaces_of(pid) == namespaces_of(running.pid));
  CHECK(eventually([&] { return contains(output->text(), "ready"); }));
  kill(pid, SIGUSR2);
  CHECK(running.container.wait_exit(pid) == 0);
  CHECK(contains(output->text(), "signal 12\n"));
}

CASE("a pidfd socket receives the program") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("runc", "1.1.5 has no --pidfd-socket");
  DEVIATES("crun", "1.8.1 has no --pidfd-socket");
  Running running;
  running.start();
  const ConsoleSocket receiver;
  const fs::path file = running.bundle.path() / "pid";
  CHECK(running
            .exec({"pause"},
                  {"--detach", "--pidfd-socket", receiver.path(), "--pid-file", file.string()})
            .err == "");
  const PtyMaster received = receiver.receive();
  REQUIRE(received.fd() >= 0);
  CHECK(syscall(SYS_pidfd_send_signal, received.fd(), SIGKILL, nullptr, 0) == 0);
  CHECK(running.container.wait_exit(std::stoi(read_file(file))) == 128 + SIGKILL);
}

CASE("signals to the command in the foreground are signals to the program") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) {
    Process program(exec_command(running.container, {}, {"signal-exit"}));
    CHECK(eventually([&] { return contains(program.output(), "ready"); }));
    program.kill(signal);
    const Outcome outcome = program.wait();
    CHECK(outcome.ok());
    CHECK(contains(outcome.out, "signal " + std::to_string(signal) + "\n"));
  }
}

CASE("a program that is ended by a signal tells which") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  Process program(exec_command(running.container, {}, {"pause"}));
  CHECK(eventually([&] { return contains(program.output(), "ready"); }));
  program.kill(SIGTERM);
  CHECK(program.wait().status == 128 + SIGTERM);
}

CASE("the end of the container is the end of what was executed in it") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  Process program(exec_command(running.container, {}, {"pause"}));
  CHECK(eventually([&] { return contains(program.output(), "ready"); }));
  CHECK(running.container.kill("KILL").ok());
  CHECK(program.wait().status == 128 + SIGKILL);
}

CASE("a hundred programs leave nothing") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  running.start();
  const int before = processes_in(running);
  for (int i = 0; i < 100; i++) REQUIRE(running.exec({"exit", "0"}).ok());
  CHECK(processes_in(running) == before);
}

CASE("the descriptors that reach the program are those that are asked for") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  Running running;
  write_file(running.bundle.path() / "kept", "kept");
  write_file(running.bundle.path() / "leaked", "leaked");
  running.start();
  const int kept = open((running.bundle.path() / "kept").c_str(), O_RDONLY | O_CLOEXEC);
  const int leaked = open((running.bundle.path() / "leaked").c_str(), O_RDONLY | O_CLOEXEC);
  Spawn spawn;
  spawn.extra_fds = {kept, leaked};
  const Outcome none = running.exec({"fds"}, {}, spawn);
  CHECK(lines(none.out).size() == 3);
  const Outcome one = running.exec({"read-fd", "3", "--", "fds"}, {"--preserve-fds", "1"}, spawn);
  CHECK(value_of(one.out, "read-fd 3") == "kept");
  CHECK_FALSE(contains(one.out, "fd 4 "));
  close(kept);
  close(leaked);
  if (is_onggi()) CHECK(running.exec({"fds"}, {"--preserve-fds", "1"}).status == 255);
}

CASE("the caller's CPU affinity is not the program's (checklist 15)") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES((Need{sysconf(_SC_NPROCESSORS_ONLN) > 1, "needs two CPUs"}));
  REQUIRES(cgroup_controller("cpuset"));
  DEVIATES("runc", "1.1.5 keeps it");
  DEVIATES("crun", "1.8.1 keeps it");
  cpu_set_t before, one;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  Running running;
  const Outcome free = run(running.bundle.guest({"cpus"}));
  running.bundle.guest({"pause"});
  running.start();
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  Bundle bundle;
  const Outcome created = run(bundle.guest({"cpus"}));
  const Outcome executed = running.exec({"cpus"});
  (void)sched_setaffinity(0, sizeof before, &before);
  CHECK(free.out != "cpus 0\n");
  CHECK(created.out == free.out);
  CHECK(executed.out == free.out);
}

TEST_SUITE_END();
