// SPDX-License-Identifier: Apache-2.0
// System call filters: actions, errno values, conditions on arguments, and that it is loaded
// last; seccomp_start_test.cc has more of that.
#include "support/suite.h"

using namespace onggi::test;

namespace {

Bundle& filter(Bundle& bundle, const std::string& rules,
               const std::string& default_action = "SCMP_ACT_ALLOW") {
  return bundle.set_json("/linux/seccomp",
                         R"({"defaultAction":")" + default_action +
                             R"(","architectures":["SCMP_ARCH_X86_64"],"syscalls":[)" + rules +
                             "]}");
}

// What the guest needs, and the last steps of a runtime; everything else fails with EPERM.
Bundle& whitelist(Bundle& bundle) {
  bundle.set("/linux/seccomp/defaultAction", "SCMP_ACT_ERRNO");
  return bundle.set_json("/linux/seccomp/syscalls", R"([{"action": "SCMP_ACT_ALLOW", "names": [
      "read", "write", "close", "open", "openat", "openat2", "fstat", "newfstatat", "statx", "lseek",
      "mmap", "munmap", "mprotect", "madvise", "brk", "execve", "execveat", "exit", "exit_group",
      "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "getrandom", "futex",
      "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "ioctl", "fcntl", "prctl",
      "capget", "capset", "setgroups", "setresuid", "setresgid", "setuid", "setgid", "getuid",
      "getgid", "getpid", "getppid", "gettid", "tgkill", "nanosleep", "clone", "epoll_pwait",
      "epoll_ctl", "epoll_create1", "sched_yield", "sendmsg", "recvmsg", "readlink", "readlinkat",
      "faccessat2", "close_range", "dup3", "chdir", "fchdir", "getcwd", "getdents64", "fchown",
      "fstatfs", "keyctl", "setsid", "umask", "pipe2", "eventfd2", "epoll_pwait2", "stat", "access",
      "kill", "wait4", "socket", "connect", "select", "pselect6", "poll", "ppoll"]}])");
}

}  // namespace

TEST_SUITE_BEGIN("seccomp");

CASE("ERRNO refuses with EPERM by default and with errnoRet when given") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle, R"({"names":["getcwd"],"action":"SCMP_ACT_ERRNO"},
                    {"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":38})");
  const Outcome outcome = run(
      bundle.guest({"syscall", "getcwd", "--", "syscall", "mkdir", "--", "syscall", "getppid"}));
  CHECK(value_of(outcome.out, "syscall getcwd") == "EPERM");
  CHECK(value_of(outcome.out, "syscall mkdir") == "ENOSYS");
  CHECK(value_of(outcome.out, "syscall getppid") == "ok");
}

CASE("defaultErrnoRet is the errno of the default action") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle, R"({"names":["getcwd"],"action":"SCMP_ACT_ERRNO"})")
      .set("/linux/seccomp/defaultErrnoRet", 13);
  const Outcome outcome = create(bundle);
  // ALLOW has no errno: the specification makes this an error.
  if (is_onggi()) CHECK(outcome.status == 1);
  if (is_onggi()) CHECK(contains(outcome.err, "linux.seccomp.defaultErrnoRet"));
}

CASE("KILL_PROCESS ends the program with SIGSYS") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle, R"({"names":["getppid"],"action":"SCMP_ACT_KILL_PROCESS"})");
  const Outcome outcome =
      run(bundle.guest({"echo", "before", "--", "syscall", "getppid", "--", "echo", "after"}));
  CHECK(outcome.status == 128 + 31);
  CHECK(outcome.out == "before\n");
}

CASE("conditions on arguments select the calls") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle, R"({"names":["getpriority"],"action":"SCMP_ACT_ERRNO","errnoRet":5,
                     "args":[{"index":0,"value":1,"op":"SCMP_CMP_EQ"}]},
                    {"names":["getsid"],"action":"SCMP_ACT_ERRNO","errnoRet":5,
                     "args":[{"index":0,"value":1000,"op":"SCMP_CMP_GE"}]},
                    {"names":["umask"],"action":"SCMP_ACT_ERRNO","errnoRet":5,
                     "args":[{"index":0,"value":64,"valueTwo":64,"op":"SCMP_CMP_MASKED_EQ"}]})");
  const Outcome outcome =
      run(bundle.guest({"syscall", "getpriority", "0", "0", "--", "syscall", "umask", "0"}));
  CHECK(value_of(outcome.out, "syscall getpriority") == "ok");
  CHECK(value_of(outcome.out, "syscall umask") == "ok");
  const Outcome refused = run(bundle.guest({"syscall", "getpriority", "1", "0", "--", "syscall",
                                            "getsid", "2000", "--", "syscall", "umask", "0x41"}));
  CHECK(value_of(refused.out, "syscall getpriority") == "EIO");
  CHECK(value_of(refused.out, "syscall getsid") == "EIO");
  CHECK(value_of(refused.out, "syscall umask") == "EIO");
}

CASE("two conditions on different arguments must both hold") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle, R"({"names":["getpriority"],"action":"SCMP_ACT_ERRNO","errnoRet":5,
                     "args":[{"index":0,"value":0,"op":"SCMP_CMP_EQ"},{"index":1,"value":1,"op":"SCMP_CMP_EQ"}]})");
  CHECK(value_of(run(bundle.guest({"syscall", "getpriority", "0", "0"})).out,
                 "syscall getpriority") == "ok");
  CHECK(value_of(run(bundle.guest({"syscall", "getpriority", "1", "1"})).out,
                 "syscall getpriority") == "ok");
  CHECK(value_of(run(bundle.guest({"syscall", "getpriority", "0", "1"})).out,
                 "syscall getpriority") == "EIO");
}

CASE("a filter without noNewPrivileges does not stop the set-up") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  bundle.set("/process/noNewPrivileges", false);
  // The runtime needs these for ids, capabilities and mounts before the program runs.
  filter(
      bundle,
      R"({"names":["mount","umount2","pivot_root","sethostname","mknod","sync"],"action":"SCMP_ACT_ERRNO"})");
  const Outcome outcome = run(bundle.guest({"caps", "--", "syscall", "sync"}));
  CHECK(value_of(outcome.out, "Seccomp") == "2");
  CHECK(value_of(outcome.out, "NoNewPrivs") == "0");
  CHECK(value_of(outcome.out, "syscall sync") == "EPERM");
}

CASE("a filter with noNewPrivileges is loaded last") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle,
         R"({"names":["setuid","setgid","setgroups","setresuid","setresgid","capset","getcwd"],
                     "action":"SCMP_ACT_ERRNO"})");
  bundle.set("/process/user/uid", 1000).set("/process/user/gid", 1000);
  const Outcome outcome = run(bundle.guest({"id", "--", "caps", "--", "syscall", "getcwd"}));
  CHECK(value_of(outcome.out, "uid") == "1000 1000 1000");
  CHECK(value_of(outcome.out, "NoNewPrivs") == "1");
  CHECK(value_of(outcome.out, "Seccomp") == "2");
}

CASE("names of system calls that this host does not know are ignored") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  filter(bundle, R"({"names":["call_of_the_future","getcwd"],"action":"SCMP_ACT_ERRNO"})");
  const Outcome outcome = run(bundle.guest({"syscall", "getcwd"}));
  CHECK(value_of(outcome.out, "syscall getcwd") == "EPERM");
}

CASE("without a seccomp section there is no filter") {
  REQUIRES(root());
  Bundle bundle;
  CHECK(value_of(run(bundle.guest({"caps"})).out, "Seccomp") == "0");
}

CASE("bad filters are errors that name the place") {
  REQUIRES(root());
  REQUIRES(seccomp());
  struct Row {
    std::string pointer, value, place;
  };
  for (const Row& row :
       {Row{"/linux/seccomp/defaultAction", R"("SCMP_ACT_NOPE")", "linux.seccomp.defaultAction"},
        Row{"/linux/seccomp/syscalls/0/action", R"("NOPE")", "linux.seccomp.syscalls[0].action"},
        Row{"/linux/seccomp/architectures/0", R"("SCMP_ARCH_NOPE")",
            "linux.seccomp.architectures[0]"},
        Row{"/linux/seccomp/syscalls/0/args", R"([{"index":0,"value":1,"op":"NOPE"}])",
            "linux.seccomp.syscalls[0].args[0].op"},
        Row{"/linux/seccomp/syscalls/0/args", R"([{"index":9,"value":1,"op":"SCMP_CMP_EQ"}])",
            "linux.seccomp.syscalls[0].args[0].index"}}) {
    CAPTURE(row.pointer);
    Bundle bundle;
    filter(bundle, R"({"names":["getcwd"],"action":"SCMP_ACT_ERRNO"})")
        .set_json(row.pointer, row.value);
    const Outcome outcome = create(bundle);
    CHECK_FALSE(outcome.ok());
    if (is_onggi()) CHECK(contains(outcome.err, row.place));
  }
}

CASE("newer calls are unknown, with and without noNewPrivileges (checklist 17)") {
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 answers newer calls as it does denied ones");
  // An image's program asks for the newest call first and takes ENOSYS, not EPERM, for "not there".
  Bundle bundle;
  filter(bundle, "", "SCMP_ACT_ALLOW");
  whitelist(bundle);
  bundle.guest({"syscall", "1000", "--", "syscall", "sync", "--", "caps"});
  for (const bool no_new_privileges : {true, false}) {
    CAPTURE(no_new_privileges);
    bundle.set("/process/noNewPrivileges", no_new_privileges);
    const Outcome outcome = run(bundle);
    CHECK(value_of(outcome.out, "syscall 1000") == "ENOSYS");
    CHECK(value_of(outcome.out, "syscall sync") == "EPERM");
    CHECK(value_of(outcome.out, "Seccomp") == "2");
  }
}

CASE("an empty profile that allows everything is a filter all the same") {
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  bundle.set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW"})");
  const Outcome outcome = run(bundle.guest({"caps", "--", "syscall", "1000"}));
  CHECK(outcome.ok());
  CHECK(value_of(outcome.out, "syscall 1000") == "ENOSYS");
}

CASE("what the host lacks for a filter is said before anything is made") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES((Need{is_onggi(), "the words are ours"}));
  Bundle bundle;
  filter(bundle, "").set("/linux/seccomp/architectures", Strings{"SCMP_ARCH_SH"});
  const Outcome outcome = create(bundle);
  // Known to libseccomp from 2.6 on.
  if (outcome.ok()) return;
  CHECK(contains(outcome.err, "linux.seccomp.architectures[0]: libseccomp "));
  CHECK(contains(outcome.err, " does not support SCMP_ARCH_SH"));
}

CASE("compiled filters are kept below the state root, where list does not see them") {
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES((Need{is_onggi(), "the cache is ours"}));
  const std::filesystem::path cache = state_root() / "@seccomp";
  std::filesystem::remove_all(cache);
  Bundle bundle;
  filter(bundle, R"({"names": ["getcwd"], "action": "SCMP_ACT_ERRNO", "errnoRet": 123})");
  bundle.guest({"syscall", "getcwd"});
  for (int round = 0; round < 3; round++) {
    CAPTURE(round);
    CHECK(run(bundle).out == "syscall getcwd ENOMEDIUM\n");
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(cache)) files.push_back(entry);
    REQUIRE(files.size() == 1);
    // The second round finds it, the third finds it damaged.
    if (round == 1) write_file(files[0], read_file(files[0]).substr(0, 200));
  }
  CHECK_FALSE(contains(runtime({"list"}).out, "seccomp"));
  CHECK(runtime({"delete", "--force", "@seccomp"}).status != 0);
  CHECK(std::filesystem::exists(cache));
}

TEST_SUITE_END();
