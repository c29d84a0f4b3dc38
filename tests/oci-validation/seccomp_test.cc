// SPDX-License-Identifier: Apache-2.0
// config-linux.md#seccomp and config-linux.md#containerprocessstate.
#include "support/agent.h"
#include "support/suite.h"

#include <sys/syscall.h>

#include <cerrno>

using namespace onggi::test;
using Errors = SeccompAgent::Errors;

namespace {

const Strings kActions = {"SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                          "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
                          "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY"};

Bundle& profile(Bundle& bundle, const std::string& default_action = "SCMP_ACT_ALLOW") {
  bundle.set_json("/linux/seccomp", R"({"syscalls": []})");
  return bundle.set("/linux/seccomp/defaultAction", default_action);
}

// One rule more; `more` is the rest of it: R"("errnoRet": 5)".
Bundle& add_rule(Bundle& bundle, const Strings& names, const std::string& action,
                 const std::string& more = "") {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + json_string(name);
  return bundle.set_json("/linux/seccomp/syscalls/-", R"({"names": [)" + list + R"(], "action": )" +
                                                          json_string(action) +
                                                          (more.empty() ? "" : ", " + more) + "}");
}

// What the guest and the last steps of a runtime need.
Bundle& allow_the_usual(Bundle& bundle) {
  return add_rule(bundle,
                  {"read",
                   "write",
                   "readv",
                   "writev",
                   "close",
                   "open",
                   "openat",
                   "fstat",
                   "newfstatat",
                   "statx",
                   "lseek",
                   "mmap",
                   "munmap",
                   "mprotect",
                   "madvise",
                   "brk",
                   "execve",
                   "execveat",
                   "exit",
                   "exit_group",
                   "arch_prctl",
                   "set_tid_address",
                   "set_robust_list",
                   "rseq",
                   "prlimit64",
                   "getrandom",
                   "futex",
                   "rt_sigaction",
                   "rt_sigprocmask",
                   "rt_sigreturn",
                   "sigaltstack",
                   "ioctl",
                   "fcntl",
                   "prctl",
                   "capget",
                   "capset",
                   "setgroups",
                   "setresuid",
                   "setresgid",
                   "setuid",
                   "setgid",
                   "getpid",
                   "gettid",
                   "tgkill",
                   "nanosleep",
                   "clone",
                   "clone3",
                   "epoll_pwait",
                   "epoll_ctl",
                   "sched_yield",
                   "sendmsg",
                   "recvmsg",
                   "readlink",
                   "readlinkat",
                   "faccessat2",
                   "close_range",
                   "getuid",
                   "geteuid",
                   "dup3",
                   "chdir"},
                  "SCMP_ACT_ALLOW");
}

std::string answer(const Bundle& bundle, const std::string& call) {
  return value_of(run(bundle).out, "syscall " + call);
}

// getppid takes no arguments, so a filter sees whatever the registers hold.
struct Probe {
  std::string arguments[6];
  bool matched;
};

void check_condition(const std::string& condition, const std::vector<Probe>& probes) {
  Bundle bundle;
  add_rule(profile(bundle), {"getppid"}, "SCMP_ACT_ERRNO",
           R"("errnoRet": 5, "args": [)" + condition + "]");
  for (const Probe& probe : probes) {
    Strings words = {"syscall", "getppid"};
    for (const std::string& word : probe.arguments) words.push_back(word.empty() ? "0" : word);
    CAPTURE(condition);
    CAPTURE(words);
    CHECK(answer(bundle.guest(words), "getppid") == (probe.matched ? "EIO" : "ok"));
  }
}

// `value` is 16 in each: matches below it, at it and above it.
void check_operator(const std::string& name, bool below, bool equal, bool above) {
  check_condition(R"({"index": 0, "value": 16, "op": ")" + name + R"("})",
                  {{{"15"}, below}, {{"16"}, equal}, {{"17"}, above}, {{"0x100000010"}, above}});
}

bool refused(const Bundle& bundle) {
  return !create(bundle).ok();
}

Bundle& with_agent(Bundle& bundle, const SeccompAgent& agent) {
  profile(bundle).set("/linux/seccomp/listenerPath", agent.path());
  return add_rule(bundle, {"mkdir"}, "SCMP_ACT_NOTIFY").guest({"syscall", "mkdir"});
}

}  // namespace

TEST_SUITE_BEGIN("seccomp");

CASE("seccomp: actions for matched calls, and for arguments") {
  CITE(
      "config-linux.md#seccomp: Seccomp configuration allows one to configure actions to take for "
      "matched syscalls and furthermore also allows matching on values passed as arguments to "
      "syscalls.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"mkdir"}, "SCMP_ACT_ERRNO");
  add_rule(bundle, {"getpriority"}, "SCMP_ACT_ERRNO",
           R"("args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}])");
  bundle.guest({"syscall", "mkdir", "--", "syscall", "getpriority", "0", "--", "syscall",
                "getpriority", "1"});
  CHECK(run(bundle).out ==
        "syscall mkdir EPERM\nsyscall getpriority ok\nsyscall getpriority EPERM\n");
}

CASE("defaultAction: required") {
  CITE(
      "config-linux.md#seccomp: defaultAction (string, REQUIRED) - the default action for "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 takes a section without it for none");
  Bundle bundle;
  CHECK(refused(profile(bundle).erase("/linux/seccomp/defaultAction")));
}

CASE("defaultAction: one of the actions") {
  CITE("config-linux.md#seccomp: Allowed values are the same as syscalls[].action.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  CHECK(refused(profile(bundle, "SCMP_ACT_SHRUG")));
  CHECK(refused(profile(bundle, "ALLOW")));
  for (const std::string action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG"}) {
    CAPTURE(action);
    CHECK(run(profile(bundle, action)).ok());
  }
}

CASE("defaultAction: for every call that no rule names") {
  CITE(
      "config-linux.md#seccomp: defaultAction (string, REQUIRED) - the default action for "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 makes more calls of its own after it has loaded the filter");
  Bundle bundle;
  allow_the_usual(profile(bundle, "SCMP_ACT_ERRNO"));
  bundle.guest({"syscall", "mkdir", "--", "syscall", "getpid"});
  CHECK(run(bundle).out == "syscall mkdir EPERM\nsyscall getpid ok\n");
}

CASE("defaultErrnoRet: the errno of the default action") {
  CITE("config-linux.md#seccomp: defaultErrnoRet (uint, OPTIONAL) - the errno return code to use.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 makes more calls of its own after it has loaded the filter");
  Bundle bundle;
  allow_the_usual(profile(bundle, "SCMP_ACT_ERRNO")).set("/linux/seccomp/defaultErrnoRet", EBUSY);
  CHECK(answer(bundle.guest({"syscall", "mkdir"}), "mkdir") == "EBUSY");
}

CASE("defaultErrnoRet: EPERM") {
  CITE("config-linux.md#seccomp: If not specified then its default value is EPERM.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 makes more calls of its own after it has loaded the filter");
  Bundle bundle;
  allow_the_usual(profile(bundle, "SCMP_ACT_ERRNO"));
  CHECK(answer(bundle.guest({"syscall", "sync"}), "sync") == "EPERM");
}

CASE("defaultErrnoRet: an error for an action without an errno") {
  CITE(
      "config-linux.md#seccomp: When the action doesn't support an errno, the runtime MUST print "
      "and error and fail.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 ignores the errno");
  Bundle bundle;
  for (const std::string action :
       {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"}) {
    CAPTURE(action);
    CHECK(refused(profile(bundle, action).set("/linux/seccomp/defaultErrnoRet", 5)));
  }
}

#if defined(__x86_64__)
CASE("architectures: the calls of a listed one are filtered, too") {
  CITE(
      "config-linux.md#seccomp: architectures (array of strings, OPTIONAL) - the architecture used "
      "for system calls.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  profile(bundle).set("/linux/seccomp/architectures",
                      Strings{"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"});
  add_rule(bundle, {"getppid"}, "SCMP_ACT_ERRNO");
  // i386: getppid 64, getpid 20. x32: 110 with the bit.
  bundle.guest({"i386", "64", "--", "i386", "20", "--", "syscall", "0x4000006e"});
  CHECK(run(bundle).out == "i386 64 EPERM\ni386 20 ok\nsyscall 0x4000006e EPERM\n");
}

CASE("architectures: the calls of one that is not listed are not let through") {
  CITE(
      "config-linux.md#seccomp: architectures (array of strings, OPTIONAL) - the architecture used "
      "for system calls.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  profile(bundle).set("/linux/seccomp/architectures", Strings{"SCMP_ARCH_X86_64"});
  add_rule(bundle, {"getppid"}, "SCMP_ACT_ERRNO");
  const Outcome outcome = run(bundle.guest({"echo", "before", "--", "i386", "20"}));
  CHECK(outcome.out == "before\n");
  CHECK(outcome.status == 128 + 31);
}

CASE("architectures: the native one is a part, listed or not") {
  CITE(
      "config-linux.md#seccomp: architectures (array of strings, OPTIONAL) - the architecture used "
      "for system calls.");
  REQUIRES(root());
  REQUIRES(seccomp());
  for (const Strings& listed : {Strings{}, Strings{"SCMP_ARCH_X86"}}) {
    Bundle bundle;
    add_rule(profile(bundle).set("/linux/seccomp/architectures", listed), {"getppid"},
             "SCMP_ACT_ERRNO");
    CHECK(answer(bundle.guest({"syscall", "getppid"}), "getppid") == "EPERM");
  }
}
#endif

CASE("architectures: the constants of the specification that libseccomp has had for long") {
  CITE(
      "config-linux.md#seccomp: A valid list of constants as of libseccomp v2.5.0 is shown below.");
  REQUIRES(root());
  REQUIRES(seccomp());
  for (const std::string name :
       {"X86", "X86_64", "X32", "ARM", "AARCH64", "MIPSEL", "MIPSEL64", "MIPSEL64N32", "PPC64LE"}) {
    CAPTURE(name);
    Bundle bundle;
    add_rule(profile(bundle).set("/linux/seccomp/architectures", Strings{"SCMP_ARCH_" + name}),
             {"getppid"}, "SCMP_ACT_ERRNO");
    CHECK(answer(bundle.guest({"syscall", "getppid"}), "getppid") == "EPERM");
  }
}

CASE("architectures: the constants of the specification of other byte orders, and new ones") {
  CITE(
      "config-linux.md#seccomp: A valid list of constants as of libseccomp v2.5.0 is shown below.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "one libseccomp filter cannot hold both byte orders");
  DEVIATES("crun", "one libseccomp filter cannot hold both byte orders");
  for (const std::string name : {"MIPS", "MIPS64", "MIPS64N32", "PPC", "PPC64", "S390", "S390X",
                                 "PARISC", "PARISC64", "RISCV64"}) {
    CAPTURE(name);
    Bundle bundle;
    add_rule(profile(bundle).set("/linux/seccomp/architectures", Strings{"SCMP_ARCH_" + name}),
             {"getppid"}, "SCMP_ACT_ERRNO");
    CHECK(answer(bundle.guest({"syscall", "getppid"}), "getppid") == "EPERM");
  }
}

CASE("architectures: an unknown one is an error") {
  CITE(
      "config-linux.md#seccomp: The actions, architectures, and operators are strings that match "
      "the definitions in seccomp.h from libseccomp and are translated to corresponding values.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  CHECK(refused(profile(bundle).set("/linux/seccomp/architectures", Strings{"SCMP_ARCH_VAX"})));
}

CASE("flags: the constants of the specification") {
  CITE(
      "config-linux.md#seccomp: flags (array of strings, OPTIONAL) - list of flags to use with "
      "seccomp(2).");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 does not know flags");
  for (const std::string flag : {"TSYNC", "LOG", "SPEC_ALLOW"}) {
    CAPTURE(flag);
    Bundle bundle;
    add_rule(profile(bundle).set("/linux/seccomp/flags", Strings{"SECCOMP_FILTER_FLAG_" + flag}),
             {"getppid"}, "SCMP_ACT_ERRNO");
    CHECK(answer(bundle.guest({"syscall", "getppid"}), "getppid") == "EPERM");
  }
}

CASE("flags: WAIT_KILLABLE_RECV") {
  CITE(
      "config-linux.md#seccomp: flags (array of strings, OPTIONAL) - list of flags to use with "
      "seccomp(2).");
  REQUIRES(root());
  REQUIRES(seccomp());
  REQUIRES(kernel(5, 19));
  DEVIATES("runc", "1.1.5 does not know it");
  const SeccompAgent agent(Errors{{SYS_mkdir, EXDEV}});
  Bundle bundle;
  with_agent(bundle, agent)
      .set("/linux/seccomp/flags", Strings{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"});
  CHECK(answer(bundle, "mkdir") == "EXDEV");
}

CASE("flags: an empty list, and none") {
  CITE(
      "config-linux.md#seccomp: flags (array of strings, OPTIONAL) - list of flags to use with "
      "seccomp(2).");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"getppid"}, "SCMP_ACT_ERRNO").guest({"syscall", "getppid"});
  CHECK(answer(bundle, "getppid") == "EPERM");
  CHECK(answer(bundle.set("/linux/seccomp/flags", Strings{}), "getppid") == "EPERM");
}

CASE("flags: an unknown one is an error") {
  CITE("config-linux.md#seccomp: A valid list of constants is shown below.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 ignores it");
  Bundle bundle;
  CHECK(refused(profile(bundle).set("/linux/seccomp/flags", Strings{"SECCOMP_FILTER_FLAG_SHRUG"})));
}

CASE("listenerPath: the state of the container process comes over a stream socket") {
  CITE(
      "config-linux.md#seccomp: listenerPath (string, OPTIONAL) - specifies the path of UNIX "
      "domain "
      "socket over which the runtime will send the container process state data structure when the "
      "SCMP_ACT_NOTIFY action is used.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, EXDEV}});
  Bundle bundle;
  CHECK(answer(with_agent(bundle, agent), "mkdir") == "EXDEV");
  REQUIRE(agent.messages().size() == 1);
  CHECK(parse_json(agent.messages()[0].text).IsObject());
}

CASE("listenerPath: one state for each connection, which is then closed") {
  CITE(
      "config-linux.md#seccomp: The runtime MUST send exactly one container process state per "
      "connection.");
  CITE(
      "config-linux.md#seccomp: The connection MUST NOT be reused and it MUST be closed after "
      "sending a seccomp state.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, EXDEV}});
  Bundle bundle;
  with_agent(bundle, agent);
  Container first(bundle), second(bundle);
  CHECK(first.run().ok());
  CHECK(second.run().ok());
  // A message counts when its connection is closed; two in one would not be a document.
  const auto messages = agent.messages();
  REQUIRE(messages.size() == 2);
  CHECK(std::string(parse_json(messages[0].text)["state"]["id"].GetString()) == first.id());
  CHECK(std::string(parse_json(messages[1].text)["state"]["id"].GetString()) == second.id());
}

CASE("listenerPath: an error when nobody listens") {
  CITE(
      "config-linux.md#seccomp: If sending to this socket fails, the runtime MUST generate an "
      "error.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  profile(bundle).set("/linux/seccomp/listenerPath", "/nowhere/agent.sock");
  CHECK(refused(add_rule(bundle, {"mkdir"}, "SCMP_ACT_NOTIFY")));
}

CASE("listenerPath: ignored when nothing is notified") {
  CITE("config-linux.md#seccomp: If the SCMP_ACT_NOTIFY action is not used this value is ignored.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 connects to it all the same");
  SeccompAgent agent;
  Bundle bundle;
  add_rule(profile(bundle).set("/linux/seccomp/listenerPath", agent.path()), {"mkdir"},
           "SCMP_ACT_ERRNO");
  CHECK(answer(bundle.guest({"syscall", "mkdir"}), "mkdir") == "EPERM");
  CHECK(agent.messages().empty());
  CHECK(answer(bundle.set("/linux/seccomp/listenerPath", "/nowhere/agent.sock"), "mkdir") ==
        "EPERM");
}

CASE("listenerPath: the descriptor is the filter's listener, named seccompFd") {
  CITE(
      "config-linux.md#seccomp: seccompFd (string, REQUIRED) is the seccomp file descriptor "
      "returned by the seccomp syscall.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, EXDEV}});
  Bundle bundle;
  // Answered through it, so it is what it is called.
  CHECK(answer(with_agent(bundle, agent), "mkdir") == "EXDEV");
  const auto messages = agent.messages();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].descriptors == 1);
  const rapidjson::Document state = parse_json(messages[0].text);
  REQUIRE(state["fds"].Size() == 1);
  CHECK(std::string(state["fds"][0].GetString()) == "seccompFd");
}

CASE("listenerMetadata: passed on as it is") {
  CITE(
      "config-linux.md#seccomp: listenerMetadata (string, OPTIONAL) - specifies an opaque data to "
      "pass to the seccomp agent.");
  CITE(
      "config-linux.md#seccomp: This string will be sent as the metadata field in the container "
      "process state.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent;
  Bundle bundle;
  const std::string metadata = "MKNOD=/dev/null;\"quoted\"\n\tand ünïcode";
  CHECK(run(with_agent(bundle, agent).set("/linux/seccomp/listenerMetadata", metadata)).ok());
  REQUIRE(agent.messages().size() == 1);
  CHECK(std::string(parse_json(agent.messages()[0].text)["metadata"].GetString()) == metadata);
}

CASE("listenerMetadata: an error without listenerPath") {
  CITE("config-linux.md#seccomp: This field MUST NOT be set if listenerPath is not set.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 does not look at it where nothing is notified");
  Bundle bundle;
  CHECK(refused(profile(bundle).set("/linux/seccomp/listenerMetadata", "x")));
}

CASE("syscalls: optional") {
  CITE(
      "config-linux.md#seccomp: syscalls (array of objects, OPTIONAL) - match a syscall in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  CHECK(run(profile(bundle)).ok());
  CHECK(run(bundle.erase("/linux/seccomp/syscalls")).ok());
}

CASE("syscalls: none, and KILL as default, is the end of the program") {
  CITE(
      "config-linux.md#seccomp: For example, if defaultAction is SCMP_ACT_KILL and syscalls is "
      "empty or unset, the kernel will kill the container process on its first syscall.");
  REQUIRES(root());
  REQUIRES(seccomp());
  EXCLUDES("runc", "1.1.5 is killed by the filter itself before it has answered");
  EXCLUDES("crun", "1.8.1 is killed by the filter itself before it has answered");
  Bundle bundle;
  const Outcome outcome = run(profile(bundle, "SCMP_ACT_KILL").guest({"echo", "alive"}));
  CHECK(outcome.status == 128 + 31);
  CHECK(outcome.out == "");
}

CASE("names: required, with an entry") {
  CITE("config-linux.md#seccomp: names MUST contain at least one entry.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 takes a rule without names");
  DEVIATES("runc", "1.1.5 takes a rule without names");
  Bundle bundle;
  CHECK(refused(add_rule(profile(bundle), {}, "SCMP_ACT_ERRNO")));
  CHECK(refused(bundle.erase("/linux/seccomp/syscalls/0/names")));
}

CASE("names: the action is for each of them") {
  CITE("config-linux.md#seccomp: names (array of strings, REQUIRED) - the names of the syscalls.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"mkdir", "chmod", "sync"}, "SCMP_ACT_ERRNO");
  bundle.guest({"syscall", "mkdir", "--", "syscall", "chmod", "--", "syscall", "sync"});
  CHECK(run(bundle).out == "syscall mkdir EPERM\nsyscall chmod EPERM\nsyscall sync EPERM\n");
}

CASE("action: required, and one of the list") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 takes a missing action for KILL");
  Bundle bundle;
  CHECK(refused(add_rule(profile(bundle), {"mkdir"}, "SCMP_ACT_SHRUG")));
  CHECK(refused(bundle.erase("/linux/seccomp/syscalls/0/action")));
}

CASE("action: every one of the list is known") {
  CITE(
      "config-linux.md#seccomp: A valid list of constants as of libseccomp v2.5.0 is shown below.");
  REQUIRES(root());
  REQUIRES(seccomp());
  const SeccompAgent agent;
  for (const std::string& action : kActions) {
    CAPTURE(action);
    Bundle bundle;
    profile(bundle, action == "SCMP_ACT_ALLOW" ? "SCMP_ACT_LOG" : "SCMP_ACT_ALLOW");
    bundle.set("/linux/seccomp/listenerPath", agent.path());
    CHECK(run(add_rule(bundle, {"mkdir"}, action).guest({"echo", "ok"})).out == "ok\n");
  }
}

CASE("action: KILL and KILL_THREAD end the thread") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  for (const std::string action : {"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD"}) {
    CAPTURE(action);
    Bundle bundle;
    add_rule(profile(bundle), {"sync"}, action);
    const std::string call = std::to_string(SYS_sync);
    const Outcome outcome = run(bundle.guest({"thread", call, "--", "syscall", "sync"}));
    CHECK(outcome.out == "thread " + call + " died\n");
    CHECK(outcome.status == 128 + 31);
  }
}

CASE("action: KILL_PROCESS ends all threads") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"sync"}, "SCMP_ACT_KILL_PROCESS");
  const Outcome outcome =
      run(bundle.guest({"echo", "before", "--", "thread", std::to_string(SYS_sync)}));
  CHECK(outcome.out == "before\n");
  CHECK(outcome.status == 128 + 31);
}

CASE("action: TRAP sends SIGSYS") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"sync"}, "SCMP_ACT_TRAP");
  const std::string call = std::to_string(SYS_sync);
  CHECK(run(bundle.guest({"trapped", call})).out == "trapped " + call + "\n");
}

CASE("action: ERRNO") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"sync"}, "SCMP_ACT_ERRNO");
  CHECK(answer(bundle.guest({"syscall", "sync"}), "sync") == "EPERM");
}

CASE("action: TRACE asks the tracer, and fails without one") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"sync"}, "SCMP_ACT_TRACE");
  const std::string call = std::to_string(SYS_sync);
  CHECK(run(bundle.guest({"traced", call, "--", "syscall", "sync"})).out ==
        "traced " + call + " 1\nsyscall sync ENOSYS\n");
}

CASE("action: ALLOW and LOG let the call through") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 makes more calls of its own after it has loaded the filter");
  for (const std::string action : {"SCMP_ACT_ALLOW", "SCMP_ACT_LOG"}) {
    CAPTURE(action);
    Bundle bundle;
    allow_the_usual(profile(bundle, "SCMP_ACT_ERRNO"));
    add_rule(bundle, {"getppid"}, action).guest({"syscall", "getppid", "--", "syscall", "sync"});
    CHECK(run(bundle).out == "syscall getppid ok\nsyscall sync EPERM\n");
  }
}

CASE("action: NOTIFY asks the agent") {
  CITE("config-linux.md#seccomp: action (string, REQUIRED) - the action for seccomp rules.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent(Errors{{SYS_mkdir, EXDEV}});
  Bundle bundle;
  profile(bundle).set("/linux/seccomp/listenerPath", agent.path());
  add_rule(bundle, {"mkdir", "getcwd"}, "SCMP_ACT_NOTIFY");
  bundle.guest({"syscall", "mkdir", "--", "cwd", "--", "syscall", "sync"});
  CHECK(run(bundle).out == "syscall mkdir EXDEV\ncwd /\nsyscall sync ok\n");
}

CASE("errnoRet: what the call fails with") {
  CITE("config-linux.md#seccomp: errnoRet (uint, OPTIONAL) - the errno return code to use.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"mkdir"}, "SCMP_ACT_ERRNO", R"("errnoRet": 123)");
  add_rule(bundle, {"sync"}, "SCMP_ACT_ERRNO", R"("errnoRet": 38)");
  bundle.guest({"syscall", "mkdir", "--", "syscall", "sync"});
  CHECK(run(bundle).out == "syscall mkdir ENOMEDIUM\nsyscall sync ENOSYS\n");
}

CASE("errnoRet: what the tracer is told") {
  CITE(
      "config-linux.md#seccomp: Some actions like SCMP_ACT_ERRNO and SCMP_ACT_TRACE allow to "
      "specify the errno code to return.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  add_rule(profile(bundle), {"sync"}, "SCMP_ACT_TRACE", R"("errnoRet": 77)");
  const std::string call = std::to_string(SYS_sync);
  CHECK(run(bundle.guest({"traced", call})).out == "traced " + call + " 77\n");
}

CASE("errnoRet: an error for every action without an errno") {
  CITE(
      "config-linux.md#seccomp: When the action doesn't support an errno, the runtime MUST print "
      "and error and fail.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 ignores the errno");
  const SeccompAgent agent;
  for (const std::string& action : kActions) {
    if (action == "SCMP_ACT_ERRNO" || action == "SCMP_ACT_TRACE") continue;
    CAPTURE(action);
    Bundle bundle;
    profile(bundle).set("/linux/seccomp/listenerPath", agent.path());
    CHECK(refused(add_rule(bundle, {"mkdir"}, action, R"("errnoRet": 5)")));
  }
}

CASE("args: each of the six arguments") {
  CITE(
      "config-linux.md#seccomp: index (uint, REQUIRED) - the index for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  for (size_t index = 0; index < 6; index++) {
    Probe probe{.arguments = {"1", "1", "1", "1", "1", "1"}, .matched = false};
    Probe match = probe;
    match.arguments[index] = "7";
    match.matched = true;
    check_condition(
        R"({"index": )" + std::to_string(index) + R"(, "value": 7, "op": "SCMP_CMP_EQ"})",
        {probe, match});
  }
}

CASE("args: an index above five is an error") {
  CITE(
      "config-linux.md#seccomp: index (uint, REQUIRED) - the index for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  CHECK(refused(add_rule(profile(bundle), {"mkdir"}, "SCMP_ACT_ERRNO",
                         R"("args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}])")));
}

CASE("args: values of 64 bits") {
  CITE(
      "config-linux.md#seccomp: value (uint64, REQUIRED) - the value for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_condition(R"({"index": 0, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"})",
                  {{{"-1"}, true}, {{"0xffffffff"}, false}, {{"0"}, false}});
}

CASE("args: conditions on different arguments must all hold") {
  CITE(
      "config-linux.md#seccomp: args (array of objects, OPTIONAL) - the specific syscall in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_condition(
      R"({"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 2, "op": "SCMP_CMP_EQ"})",
      {{{"1", "2"}, true}, {{"1", "0"}, false}, {{"0", "2"}, false}, {{"0", "0"}, false}});
}

CASE("args: conditions on one argument are alternatives") {
  CITE(
      "config-linux.md#seccomp: args (array of objects, OPTIONAL) - the specific syscall in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_condition(
      R"({"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 2, "op": "SCMP_CMP_EQ"})",
      {{{"1"}, true}, {{"2"}, true}, {{"3"}, false}});
}

CASE("op: SCMP_CMP_NE") {
  CITE(
      "config-linux.md#seccomp: op (string, REQUIRED) - the operator for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_operator("SCMP_CMP_NE", true, false, true);
}
CASE("op: SCMP_CMP_LT") {
  CITE(
      "config-linux.md#seccomp: op (string, REQUIRED) - the operator for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_operator("SCMP_CMP_LT", true, false, false);
}
CASE("op: SCMP_CMP_LE") {
  CITE(
      "config-linux.md#seccomp: op (string, REQUIRED) - the operator for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_operator("SCMP_CMP_LE", true, true, false);
}
CASE("op: SCMP_CMP_EQ") {
  CITE(
      "config-linux.md#seccomp: op (string, REQUIRED) - the operator for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_operator("SCMP_CMP_EQ", false, true, false);
}
CASE("op: SCMP_CMP_GE") {
  CITE(
      "config-linux.md#seccomp: op (string, REQUIRED) - the operator for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_operator("SCMP_CMP_GE", false, true, true);
}
CASE("op: SCMP_CMP_GT") {
  CITE(
      "config-linux.md#seccomp: op (string, REQUIRED) - the operator for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_operator("SCMP_CMP_GT", false, false, true);
}

CASE("op: SCMP_CMP_MASKED_EQ takes the mask from value and compares with valueTwo") {
  CITE(
      "config-linux.md#seccomp: valueTwo (uint64, OPTIONAL) - the value for syscall arguments in "
      "seccomp.");
  REQUIRES(root());
  REQUIRES(seccomp());
  check_condition(
      R"({"index": 0, "value": 240, "valueTwo": 32, "op": "SCMP_CMP_MASKED_EQ"})",
      {{{"0x20"}, true}, {{"0x2f"}, true}, {{"0x120"}, true}, {{"0x30"}, false}, {{"0"}, false}});
}

CASE("op: unknown or missing is an error") {
  CITE(
      "config-linux.md#seccomp: A valid list of constants as of libseccomp v2.3.2 is shown below.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 takes a missing operator for none");
  Bundle bundle;
  add_rule(profile(bundle), {"mkdir"}, "SCMP_ACT_ERRNO",
           R"("args": [{"index": 0, "value": 0, "op": "SCMP_CMP_SHRUG"}])");
  CHECK(refused(bundle));
  CHECK(refused(bundle.erase("/linux/seccomp/syscalls/0/args/0/op")));
}

CASE("container process state: JSON as payload, the descriptor by SCM_RIGHTS") {
  CITE(
      "config-linux.md#containerprocessstate: The container runtime MUST send the container "
      "process "
      "state over the UNIX socket as regular payload serialized in JSON and file descriptors MUST "
      "be sent using SCM_RIGHTS.");
  CITE(
      "config-linux.md#containerprocessstate: The index of the name in this array corresponds to "
      "index of the file descriptors in the SCM_RIGHTS array.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent;
  Bundle bundle;
  CHECK(run(with_agent(bundle, agent)).ok());
  REQUIRE(agent.messages().size() == 1);
  const rapidjson::Document state = parse_json(agent.messages()[0].text);
  CHECK(state["fds"].Size() == agent.messages()[0].descriptors);
}

CASE("container process state: ociVersion") {
  CITE(
      "config-linux.md#containerprocessstate: ociVersion (string, REQUIRED) is version of the Open "
      "Container Initiative Runtime Specification with which the container process state "
      "complies.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("crun", "1.8.1 sends a version of its own");
  SeccompAgent agent;
  Bundle bundle;
  CHECK(run(with_agent(bundle, agent)).ok());
  REQUIRE(agent.messages().size() == 1);
  const rapidjson::Document state = parse_json(agent.messages()[0].text);
  CHECK(std::string(state["ociVersion"].GetString()).starts_with("1."));
}

CASE("container process state: pid and state") {
  CITE(
      "config-linux.md#containerprocessstate: pid (int, REQUIRED) is the container process ID, as "
      "seen by the runtime.");
  CITE(
      "config-linux.md#containerprocessstate: state (state, REQUIRED) is the state of the "
      "container.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent;
  Bundle bundle;
  with_agent(bundle, agent).set_json("/annotations", R"({"myKey": "myValue"})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  REQUIRE(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  REQUIRE(agent.messages().size() == 1);
  const rapidjson::Document state = parse_json(agent.messages()[0].text);
  CHECK(state["pid"].GetInt() == pid);
  const auto& inner = state["state"];
  CHECK(std::string(inner["id"].GetString()) == container.id());
  const std::string status = inner["status"].GetString();
  CHECK((status == "creating" || status == "created"));
  CHECK(inner["pid"].GetInt() == pid);
  CHECK(std::string(inner["bundle"].GetString()) == bundle.path().string());
  CHECK(std::string(inner["annotations"]["myKey"].GetString()) == "myValue");
}

CASE("container process state: no metadata, no field") {
  CITE("config-linux.md#containerprocessstate: metadata (string, OPTIONAL) opaque metadata.");
  REQUIRES(root());
  REQUIRES(seccomp());
  SeccompAgent agent;
  Bundle bundle;
  CHECK(run(with_agent(bundle, agent)).ok());
  REQUIRE(agent.messages().size() == 1);
  const rapidjson::Document state = parse_json(agent.messages()[0].text);
  CHECK((!state.HasMember("metadata") || state["metadata"].GetStringLength() == 0));
}

TEST_SUITE_END();
