// SPDX-License-Identifier: Apache-2.0
// config-linux.md#seccomp but for the rules, and config-linux.md#containerprocessstate.
#include "seccomp_profile.h"

using namespace onggi::test;

namespace {

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
  DEVIATES("runc", "1.1.5 does not look at it where nothing is notified");
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
  // Its first would be the execve(2) that makes it the container's process, so it is refused that.
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "linux.seccomp: the filter kills a process that calls execve(2)"));
  CHECK(outcome.out == "");
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
