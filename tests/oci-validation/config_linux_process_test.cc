// SPDX-License-Identifier: Apache-2.0
// config.md#linux-process: capabilities, scheduling, labels of the program.
#include "support/suite.h"

using namespace onggi::test;

namespace {

constexpr const char* kNoScheduler = "does not know scheduler";
constexpr const char* kNoIoPriority = "does not know ioPriority";

// The set that the program has, after a run with one set of config.json.
std::string capability_set(const std::string& name, const std::string& status) {
  Bundle bundle;
  bundle.guest({"caps"}).set_json("/process/capabilities",
                                  R"({"bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_FOWNER"]})");
  if (name != "bounding") bundle.set_json("/process/capabilities/" + name, R"(["CAP_KILL"])");
  if (name == "effective" || name == "ambient")
    bundle.set_json("/process/capabilities/permitted", R"(["CAP_KILL"])");
  if (name == "ambient")
    bundle.set_json("/process/capabilities/inheritable", R"(["CAP_KILL"])")
        .set("/process/user/uid", 1000);
  return value_of(run(bundle).out, status);
}

const std::string kCapKill = "0000000000000020";

Need no_apparmor() {
  return {!apparmor().met, "needs a host without AppArmor"};
}
Need no_selinux() {
  return {!selinux().met, "needs a host without SELinux"};
}

}  // namespace

TEST_SUITE_BEGIN("config_linux_process");

CASE("process: capabilities: bounding") {
  CITE(
      "config.md#linux-process: bounding (array of strings, OPTIONAL) the bounding field is an "
      "array of bounding capabilities that are kept for the process.");
  REQUIRES(root());
  CHECK(capability_set("bounding", "CapBnd") == "0000000000000029");
}

CASE("process: capabilities: permitted") {
  CITE(
      "config.md#linux-process: permitted (array of strings, OPTIONAL) the permitted field is an "
      "array of permitted capabilities that are kept for the process.");
  REQUIRES(root());
  // root's execve(2) raises what the bounding set has; an ordinary user's only what is ambient.
  Bundle bundle;
  bundle.guest({"caps"}).set("/process/user/uid", 1000).set_json("/process/capabilities", R"({
    "bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"], "inheritable": ["CAP_KILL"],
    "ambient": ["CAP_KILL"]})");
  CHECK(value_of(run(bundle).out, "CapPrm") == kCapKill);
}

CASE("process: capabilities: effective") {
  CITE(
      "config.md#linux-process: effective (array of strings, OPTIONAL) the effective field is an "
      "array of effective capabilities that are kept for the process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"caps"}).set_json("/process/capabilities", R"({
    "bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"]})");
  CHECK(value_of(run(bundle).out, "CapEff") == kCapKill);
}

CASE("process: capabilities: inheritable") {
  CITE(
      "config.md#linux-process: inheritable (array of strings, OPTIONAL) the inheritable field "
      "is an array of inheritable capabilities that are kept for the process.");
  REQUIRES(root());
  CHECK(capability_set("inheritable", "CapInh") == kCapKill);
}

CASE("process: capabilities: ambient") {
  CITE(
      "config.md#linux-process: ambient (array of strings, OPTIONAL) the ambient field is an "
      "array of ambient capabilities that are kept for the process.");
  REQUIRES(root());
  CHECK(capability_set("ambient", "CapAmb") == kCapKill);
}

CASE("process: capabilities: empty sets leave nothing, root or not") {
  CITE(
      "config.md#linux-process: capabilities (object, OPTIONAL) is an object containing arrays "
      "that specifies the sets of capabilities for the process.");
  REQUIRES(root());
  for (const int uid : {0, 1000}) {
    CAPTURE(uid);
    Bundle bundle;
    bundle.guest({"caps"}).set("/process/user/uid", uid).set_json("/process/capabilities", "{}");
    const Outcome outcome = run(bundle);
    for (const std::string set : {"CapBnd", "CapPrm", "CapEff", "CapInh", "CapAmb"}) {
      CAPTURE(set);
      CHECK(value_of(outcome.out, set) == "0000000000000000");
    }
  }
}

CASE("process: capabilities: an unknown name is a warning in every set") {
  CITE(
      "config.md#linux-process: Any value which cannot be mapped to a relevant kernel interface, "
      "or cannot be granted otherwise MUST be logged as a warning by the runtime.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 says nothing of it");
  for (const std::string set : {"bounding", "permitted", "effective", "inheritable", "ambient"}) {
    CAPTURE(set);
    Bundle bundle;
    const bool is_absent = set == "inheritable" || set == "ambient";
    const std::string pointer = "/process/capabilities/" + set;
    bundle.set_json(is_absent ? pointer : pointer + "/-",
                    is_absent ? R"(["CAP_NONE"])" : R"("CAP_NONE")");
    bundle.write();
    const std::string log = (bundle.path() / "log").string();
    Strings command = {runtime_path(), "--root", state_root().string(), "--log", log};
    // How a warning is exposed is open; to those who ask is enough. runc does it by itself.
    if (runtime_name() != "runc") command.insert(command.end(), {"--log-level", "warning"});
    command.insert(command.end(), {"run", "--bundle", bundle.path().string(), tag() + "-warned"});
    const Outcome outcome = run_program(command);
    CHECK_MESSAGE(outcome.ok(), outcome.err);
    CHECK(contains(read_file(log), "CAP_NONE"));
  }
}

CASE("process: capabilities: one that the runtime does not hold is no error") {
  CITE(
      "config.md#linux-process: Runtimes SHOULD NOT fail if the container configuration requests "
      "capabilities that cannot be granted, for example, if the runtime operates in a restricted "
      "environment with a limited set of capabilities.");
  REQUIRES(root());
  REQUIRES(file("/usr/sbin/capsh"));
  DEVIATES("runc", "1.1.5 fails");
  DEVIATES("crun", "1.8.1 fails");
  // A runtime in a shell without CAP_SYS_TIME in its bounding set.
  Bundle bundle;
  for (const std::string set : {"bounding", "permitted", "effective"})
    bundle.set_json("/process/capabilities/" + set + "/-", R"("CAP_SYS_TIME")");
  bundle.guest({"echo", "ran"}).write();
  Container container(bundle);
  Strings command = {"/usr/sbin/capsh", "--drop=cap_sys_time", "--shell=/usr/bin/env", "--"};
  for (const std::string& word :
       runtime_command({"run", "--bundle", bundle.path().string(), container.id()}))
    command.push_back(word);
  const Outcome outcome = run_program(command);
  CAPTURE(outcome.err);
  CHECK(outcome.ok());
  CHECK(outcome.out == "ran\n");
}

CASE("process: noNewPrivileges is off unless it is asked for") {
  CITE(
      "config.md#linux-process: noNewPrivileges (bool, OPTIONAL) setting noNewPrivileges to true "
      "prevents the process from gaining additional privileges.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"caps"});
  CHECK(value_of(run(bundle.set("/process/noNewPrivileges", false)).out, "NoNewPrivs") == "0");
  CHECK(value_of(run(bundle.erase("/process/noNewPrivileges")).out, "NoNewPrivs") == "0");
}

CASE("process: an oomScoreAdj that the kernel does not have is an error") {
  CITE(
      "config.md#linux-process: If oomScoreAdj is set, the runtime MUST set oom_score_adj to the "
      "given value.");
  REQUIRES(root());
  for (const int value : {1001, -1001}) {
    CAPTURE(value);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set("/process/oomScoreAdj", value)).ok());
  }
}

CASE("process: scheduler: the policy") {
  CITE("config.md#linux-process: policy (string, REQUIRED) represents the scheduling policy.");
  REQUIRES(root());
  DEVIATES("runc", kNoScheduler);
  DEVIATES("crun", kNoScheduler);
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"SCHED_OTHER", "0"}, {"SCHED_BATCH", "3"}, {"SCHED_IDLE", "5"}};
  for (const auto& [name, number] : rows) {
    CAPTURE(name);
    Bundle bundle;
    bundle.guest({"scheduling"}).set("/process/scheduler/policy", name);
    CHECK(value_of(run(bundle).out, "policy") == number);
  }
}

CASE("process: scheduler: the nice value, 0 if it is not set") {
  CITE("config.md#linux-process: If not set, the runtime must use the value 0.");
  REQUIRES(root());
  DEVIATES("runc", kNoScheduler);
  DEVIATES("crun", kNoScheduler);
  Bundle bundle;
  bundle.guest({"scheduling"})
      .set_json("/process/scheduler", R"({"policy": "SCHED_OTHER", "nice": 7})");
  CHECK(value_of(run(bundle).out, "nice") == "7");
  // Of a caller with another one.
  bundle.set_json("/process/scheduler", R"({"policy": "SCHED_OTHER"})").write();
  Container container(bundle);
  Strings command = {"/usr/bin/nice", "-n", "5"};
  for (const std::string& word :
       runtime_command({"run", "--bundle", bundle.path().string(), container.id()}))
    command.push_back(word);
  CHECK(value_of(run_program(command).out, "nice") == "0");
}

CASE("process: scheduler: what is not in the lists is an error") {
  CITE("config.md#linux-process: A valid list of values is:");
  REQUIRES(root());
  DEVIATES("runc", kNoScheduler);
  DEVIATES("crun", kNoScheduler);
  for (const std::string json : {R"({"policy": "SCHED_NONE"})", R"({"nice": 1})",
                                 R"({"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NONE"]})"}) {
    CAPTURE(json);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/process/scheduler", json)).ok());
  }
}

CASE("process: ioPriority: class and priority") {
  CITE(
      "config.md#linux-process: ioPriority (object, OPTIONAL) configures the I/O priority "
      "settings for the container's processes within the process group.");
  REQUIRES(root());
  DEVIATES("runc", kNoIoPriority);
  DEVIATES("crun", kNoIoPriority);
  constexpr int kBestEffort = 2, kShift = 13;
  for (const int priority : {0, 7}) {
    CAPTURE(priority);
    Bundle bundle;
    bundle.guest({"scheduling"})
        .set_json("/process/ioPriority",
                  R"({"class": "IOPRIO_CLASS_BE", "priority": )" + std::to_string(priority) + "}");
    CHECK(value_of(run(bundle).out, "ioprio") ==
          std::to_string((kBestEffort << kShift) + priority));
  }
}

CASE("process: ioPriority: what is not in the lists is an error") {
  CITE(
      "config.md#linux-process: Possible values are IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, and "
      "IOPRIO_CLASS_IDLE.");
  CITE(
      "config.md#linux-process: The value should be an integer ranging from 0 (highest) to 7 "
      "(lowest).");
  REQUIRES(root());
  DEVIATES("runc", kNoIoPriority);
  DEVIATES("crun", kNoIoPriority);
  for (const std::string json : {R"({"class": "IOPRIO_CLASS_NONE", "priority": 0})",
                                 R"({"class": "IOPRIO_CLASS_BE", "priority": 8})",
                                 R"({"class": "IOPRIO_CLASS_BE", "priority": -1})"}) {
    CAPTURE(json);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/process/ioPriority", json)).ok());
  }
}

CASE("process: execCPUAffinity is not for the first process") {
  CITE("config.md#linux-process: This setting is not applicable to the container's init process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"cpus"});
  const std::string all = run(bundle).out;
  bundle.set_json("/process/execCPUAffinity", R"({"initial": "0", "final": "0"})");
  CHECK(run(bundle).out == all);
}

CASE("process: an AppArmor profile on a host without AppArmor is an error") {
  CITE(
      "config.md#linux-process: apparmorProfile (string, OPTIONAL) specifies the name of the "
      "AppArmor profile for the process.");
  REQUIRES(root());
  REQUIRES(no_apparmor());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/process/apparmorProfile", "acme_secure_profile")).ok());
}

CASE("process: an SELinux label on a host without SELinux is an error") {
  CITE(
      "config.md#linux-process: selinuxLabel (string, OPTIONAL) specifies the SELinux label for "
      "the process.");
  REQUIRES(root());
  REQUIRES(no_selinux());
  Bundle bundle;
  bundle.set("/process/selinuxLabel", "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
  CHECK_FALSE(create(bundle).ok());
}

TEST_SUITE_END();
