// SPDX-License-Identifier: Apache-2.0
// A startContainer hook is a program of the image, so it has the rights of the container's program
// and nothing of the host's.
#include "support/agent.h"
#include "support/hooked.h"
#include "support/suite.h"

#include <sys/syscall.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// Everything that a process has by right, but not what tells it apart (pid, descriptors).
const std::string kSeparator = "--";
const Strings kRights = {"id",       kSeparator,    "caps",     kSeparator,      "rlimits",
                         kSeparator, "scheduling",  kSeparator, "cwd",           kSeparator,
                         "env",      kSeparator,    "keyring",  kSeparator,      "ns",
                         kSeparator, "personality", kSeparator, "oom-score-adj", kSeparator,
                         "signals",  kSeparator,    "cpus"};

std::string filter(const std::string& rules, const std::string& fallback = "SCMP_ACT_ALLOW") {
  return R"({"defaultAction": ")" + fallback + R"(", "architectures": ["SCMP_ARCH_X86_64"],
            "syscalls": [)" +
         rules + "]}";
}

// A program of a user with a few rights, and a hook before it: both write what they have below
// /trace.
class Compared {
 public:
  Compared() : trace_("trace") {
    fs::permissions(trace_.path(), fs::perms::all);
    fs::create_directory(bundle.rootfs() / "trace");
    fs::create_directories(bundle.rootfs() / "etc");
    write_file(bundle.rootfs() / "etc/passwd", "user:x:1000:1000::/home/of-user:/bin/sh\n");
    bundle.add_bind("/trace", trace_.path());
    bundle.set_json("/process/user",
                    R"({"uid": 1000, "gid": 1001, "umask": 23, "additionalGids": [5, 7]})");
    bundle.set_json("/process/capabilities", R"({
        "bounding": ["CAP_NET_BIND_SERVICE", "CAP_KILL", "CAP_CHOWN"],
        "permitted": ["CAP_NET_BIND_SERVICE", "CAP_KILL"], "effective": ["CAP_KILL"],
        "inheritable": ["CAP_NET_BIND_SERVICE"], "ambient": ["CAP_NET_BIND_SERVICE"]})");
    bundle.set_json("/process/rlimits",
                    R"([{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 128},
                        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])");
    bundle.set("/process/env", Strings{"PATH=/bin", "OF_THE_PROGRAM=one two"});
    bundle.set("/process/cwd", "/trace");
    bundle.set_json("/hooks", R"({"startContainer": []})");
  }

  // The guest with these words, whose output goes to the file.
  static Strings reporting(const std::string& file, const Strings& words) {
    Strings all = {"into", "/trace/" + file, "--"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  void hook(const Strings& words, const std::string& more = {}) {
    std::string args = R"("guest")";
    for (const std::string& word : words) args += "," + json_string(word);
    bundle.set_json("/hooks/startContainer/-",
                    R"({"path": "/bin/guest", "args": [)" + args + "]" + more + "}");
  }
  std::string text(const std::string& file) const {
    const fs::path path = trace_.path() / file;
    return fs::exists(path) ? read_file(path) : "<none>";
  }

  Bundle bundle;

 private:
  ScratchDirectory trace_;
};

const std::string kFilter = filter(R"({"names": ["mount"], "action": "SCMP_ACT_ERRNO"})");

}  // namespace

TEST_SUITE_BEGIN("hook_rights");

CASE("a startContainer hook has exactly the rights of the program") {
  REQUIRES(root());
  REQUIRES(seccomp());
  struct Row {
    bool no_new_privileges, filtered;
  };
  for (const Row& row : {Row{true, true}, Row{true, false}, Row{false, true}, Row{false, false}}) {
    CAPTURE(row.no_new_privileges);
    CAPTURE(row.filtered);
    Compared compared;
    compared.bundle.set("/process/noNewPrivileges", row.no_new_privileges);
    if (row.filtered) compared.bundle.set_json("/linux/seccomp", kFilter);
    compared.hook(Compared::reporting("hook", kRights));
    const Outcome outcome = run(compared.bundle.guest(Compared::reporting("program", kRights)));
    CHECK_MESSAGE(outcome.ok(), outcome.err);
    const std::string hook = compared.text("hook");
    CHECK(hook == compared.text("program"));
    CHECK(value_of(hook, "uid") == "1000 1000 1000");
    CHECK(value_of(hook, "CapBnd") == "0000000000000421");
    CHECK(value_of(hook, "NoNewPrivs") == (row.no_new_privileges ? "1" : "0"));
    CHECK(value_of(hook, "Seccomp") == (row.filtered ? "2" : "0"));
    CHECK(value_of(hook, "cwd") == "/trace");
    CHECK(contains(hook, "env HOME=/home/of-user\n"));
  }
}

CASE("a startContainer hook may be one that traces, and finds no right that the program lacks") {
  REQUIRES(root());
  REQUIRES(seccomp());
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    Compared compared;
    compared.bundle.set("/process/noNewPrivileges", no_new_privileges)
        .set_json("/linux/seccomp", kFilter);
    compared.bundle.set_json("/process/user", R"({"uid": 0, "gid": 0})");
    for (const std::string set : {"bounding", "permitted", "effective"})
      compared.bundle.set_json("/process/capabilities/" + set, R"(["CAP_SYS_PTRACE"])");
    compared.bundle.set_json("/process/capabilities/inheritable", "[]")
        .set_json("/process/capabilities/ambient", "[]");
    compared.hook(Compared::reporting("hook", {"caps"}));
    compared.hook(Compared::reporting("first", {"cat", "/proc/1/status"}));
    const Outcome outcome = run(compared.bundle.guest(Compared::reporting("program", {"caps"})));
    CHECK_MESSAGE(outcome.ok(), outcome.err);
    CHECK(compared.text("hook") == compared.text("program"));
    CHECK(value_of(compared.text("hook"), "Seccomp") == "2");
    CHECK(contains(compared.text("first"), "CapPrm:\t0000000000080000\n"));
  }
}

CASE("without rights to trace, a startContainer hook gets nothing out of the process that waits") {
  REQUIRES(root());
  REQUIRES(seccomp());
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    Compared compared;
    compared.bundle.set("/process/noNewPrivileges", no_new_privileges)
        .set_json("/linux/seccomp", kFilter);
    compared.hook(Compared::reporting("hook", {"trace", "1"}));
    CHECK(run(compared.bundle.guest({"exit", "0"})).ok());
    CHECK(compared.text("hook") == "traced there\n");
  }
}

CASE("a startContainer hook has three descriptors, the program's environment or its own") {
  REQUIRES(root());
  Compared compared;
  Spawn caller;
  caller.environment = {"OF_THE_CALLER=1"};
  compared.hook(Compared::reporting("fds", {"fds"}));
  compared.hook(Compared::reporting("none", {"env"}));
  compared.hook(Compared::reporting("empty", {"env"}), R"(, "env": [])");
  compared.hook(Compared::reporting("own", {"env"}), R"(, "env": ["A=1"])");
  const Outcome outcome = run(compared.bundle.guest({"exit", "0"}), caller);
  CHECK_MESSAGE(outcome.ok(), outcome.err);
  const std::string fds = compared.text("fds");
  CHECK(contains(fds, "fd 2 "));
  for (const std::string& line : lines(fds)) {
    CAPTURE(line);
    CHECK((line.starts_with("fd 0 ") || line.starts_with("fd 1 ") || line.starts_with("fd 2 ")));
  }
  CHECK(compared.text("none") ==
        "env PATH=/bin\nenv OF_THE_PROGRAM=one two\nenv HOME=/home/of-user\n");
  CHECK(compared.text("empty").empty());
  CHECK(compared.text("own") == "env A=1\n");
}

CASE("a hook's time limit holds, whatever the filter forbids") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(onggi_only());
  const std::string names =
      R"("names": ["wait4", "waitid", "ppoll", "poll", "kill", "clone", "clone3", "recvmsg",
                   "sendmsg", "setpgid", "dup3", "pipe2", "close_range"])";
  for (const std::string action : {"SCMP_ACT_KILL_PROCESS", "SCMP_ACT_ERRNO"}) {
    for (const bool no_new_privileges : {true, false}) {
      CAPTURE(action);
      CAPTURE(no_new_privileges);
      Compared compared;
      compared.bundle.set("/process/noNewPrivileges", no_new_privileges)
          .set_json("/linux/seccomp", filter("{" + names + R"(, "action": ")" + action + R"("})"));
      compared.hook({"write", "/trace/mark", "yes"});
      compared.hook({"sleep", "1000"}, R"(, "timeout": 1)");
      const Outcome outcome = run(compared.bundle.guest({"exit", "0"}));
      CHECK(outcome.status == 1);
      CHECK(compared.text("mark") == "yes");
      CHECK(contains(outcome.err, "hooks.startContainer[1]: '/bin/guest' did not exit within 1 s"));
    }
  }
}

CASE("why a hook does not start is said, whatever the filter forbids") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  REQUIRES(seccomp());
  REQUIRES(onggi_only());
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    Compared compared;
    write_file(compared.bundle.rootfs() / "bin/text", "no program\n");
    fs::permissions(compared.bundle.rootfs() / "bin/text", fs::perms::all);
    compared.bundle.set("/process/noNewPrivileges", no_new_privileges)
        .set_json("/linux/seccomp", filter(R"({"names": ["execve"], "action": "SCMP_ACT_ALLOW"})",
                                           "SCMP_ACT_KILL_PROCESS"));
    compared.bundle.set_json("/hooks/startContainer", R"([{"path": "/bin/text"}])");
    const Outcome outcome = run(compared.bundle.guest({"exit", "0"}));
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "hooks.startContainer[0]: exec '/bin/text': exec format error"));
  }
}

CASE("the agent gets the listener of each startContainer hook, too") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(onggi_only());
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    SeccompAgent agent(SeccompAgent::Errors{{SYS_mkdir, ENOMEDIUM}});
    Compared compared;
    compared.bundle.set("/process/noNewPrivileges", no_new_privileges)
        .set_json(
            "/linux/seccomp",
            filter(R"({"names": ["mkdir", "execve", "sendmsg"], "action": "SCMP_ACT_NOTIFY"})"))
        .set("/linux/seccomp/listenerPath", agent.path());
    compared.hook(Compared::reporting("hook", {"syscall", "mkdir", "--", "caps"}));
    const Outcome outcome = run(
        compared.bundle.guest(Compared::reporting("program", {"syscall", "mkdir", "--", "caps"})));
    CHECK_MESSAGE(outcome.ok(), outcome.err);
    CHECK(value_of(compared.text("hook"), "syscall mkdir") == "ENOMEDIUM");
    CHECK(compared.text("hook") == compared.text("program"));
    CHECK(agent.messages().size() == 2);
  }
}

TEST_SUITE_END();
