// SPDX-License-Identifier: Apache-2.0
// config-linux.md: intelRdt, seccomp, the root's propagation and the personality.
#include "support/suite.h"

using namespace onggi::test;

TEST_SUITE_BEGIN("config_linux");

CASE("intelRdt: an error without resctrl") {
  CITE(
      "config-linux.md#intelrdt: If no mounted resctrl pseudo-filesystem is available in the "
      "runtime mount namespace, the runtime MUST generate an error.");
  REQUIRES(root());
  REQUIRES((Need{!file("/sys/fs/resctrl/schemata").met, "needs a host without resctrl"}));
  DEVIATES("crun", "1.8.1 ignores it");
  Bundle bundle;
  CHECK_FALSE(
      create(bundle.set_json("/linux/intelRdt", R"({"closID": "x", "l3CacheSchema": "L3:0=f"})"))
          .ok());
}

CASE("seccomp: an action with an errno") {
  CITE("config-linux.md#seccomp: If not specified its default value is EPERM.");
  REQUIRES(root());
  REQUIRES(seccomp());
  Bundle bundle;
  bundle.set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["getcwd"], "action": "SCMP_ACT_ERRNO"}, {"names": ["chmod"], "action": "SCMP_ACT_ERRNO", "errnoRet": 16}]})");
  const Outcome outcome = run(bundle.guest({"syscall", "getcwd", "--", "syscall", "chmod"}));
  CHECK(value_of(outcome.out, "syscall getcwd") == "EPERM");
  CHECK(value_of(outcome.out, "syscall chmod") == "EBUSY");
}

CASE("seccomp: an errno for an action that has none is an error") {
  CITE(
      "config-linux.md#seccomp: When the action doesn't support an errno, the runtime MUST print "
      "and error and fail.");
  REQUIRES(root());
  REQUIRES(seccomp());
  DEVIATES("runc", "1.1.5 ignores the errno");
  Bundle bundle;
  bundle.set_json("/linux/seccomp", R"({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["getcwd"], "action": "SCMP_ACT_KILL", "errnoRet": 5}]})");
  CHECK_FALSE(create(bundle).ok());
}

CASE("rootfsPropagation: every value of the specification runs, others are an error") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: rootfsPropagation (string, OPTIONAL) sets the "
      "rootfs's mount propagation. Its value is either shared, slave, private or unbindable.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores unknown values");
  DEVIATES("runc", "1.1.5 makes the root unbindable before it binds it");
  Bundle bundle;
  for (const std::string value : {"shared", "slave", "private", "unbindable"}) {
    CAPTURE(value);
    CHECK(run(bundle.set("/linux/rootfsPropagation", value)).ok());
  }
  CHECK_FALSE(create(bundle.set("/linux/rootfsPropagation", "sideways")).ok());
}

CASE("personality: LINUX32") {
  CITE(
      "config-linux.md#personality: LINUX32 will set the uname system call to show a 32 bit CPU "
      "type, such as i686.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know personality");
  Bundle bundle;
  bundle.set_json("/linux/personality", R"({"domain": "LINUX32"})").guest({"machine"});
  CHECK(run(bundle).out == "machine i686\n");
}

TEST_SUITE_END();
