// SPDX-License-Identifier: Apache-2.0
// config-linux.md#seccomp: syscalls, their actions and conditions.
#include "seccomp_profile.h"

using namespace onggi::test;

namespace {

const Strings kActions = {"SCMP_ACT_KILL",  "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD",
                          "SCMP_ACT_TRAP",  "SCMP_ACT_ERRNO",        "SCMP_ACT_TRACE",
                          "SCMP_ACT_ALLOW", "SCMP_ACT_LOG",          "SCMP_ACT_NOTIFY"};

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

}  // namespace

TEST_SUITE_BEGIN("seccomp_rules");

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
  Bundle bundle;
  add_rule(profile(bundle), {"mkdir"}, "SCMP_ACT_ERRNO",
           R"("args": [{"index": 0, "value": 0, "op": "SCMP_CMP_SHRUG"}])");
  CHECK(refused(bundle));
  CHECK(refused(bundle.erase("/linux/seccomp/syscalls/0/args/0/op")));
}

TEST_SUITE_END();
