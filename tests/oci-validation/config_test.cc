// SPDX-License-Identifier: Apache-2.0
// config.md: root, mounts, process, user, host name, annotations, extensibility.
#include "support/suite.h"

using namespace onggi::test;
namespace fs = std::filesystem;

TEST_SUITE_BEGIN("config");

CASE("ociVersion: any 1.x is accepted") {
  CITE(
      "config.md#specification-version: ociVersion (string, REQUIRED) MUST be in SemVer v2.0.0 "
      "format and specifies the version of the Open Container Initiative Runtime Specification "
      "with which the bundle complies.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 knows 1.1 at most");
  for (const std::string version : {"1.0.0", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0"}) {
    CAPTURE(version);
    Bundle bundle;
    CHECK(run(bundle.set("/ociVersion", version)).ok());
  }
}

CASE("root: path may be absolute or relative to the bundle") {
  CITE(
      "config.md#root: On POSIX platforms, path is either an absolute path or a relative path to "
      "the bundle.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "x"});
  CHECK(run(bundle.set("/root/path", "rootfs")).out == "x\n");
  CHECK(run(bundle.set("/root/path", bundle.rootfs().string())).out == "x\n");
}

CASE("root: an error when there is no directory at path") {
  CITE("config.md#root: A directory MUST exist at the path declared by the field.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/root/path", "nothing")).ok());
  CHECK_FALSE(create(bundle.set("/root/path", "config.json")).ok());
}

CASE("root: readonly makes the root file system read-only") {
  CITE(
      "config.md#root: readonly (bool, OPTIONAL) If true then the root filesystem MUST be "
      "read-only inside the container, defaults to false.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"write", "/x", "y"});
  CHECK(run(bundle.set("/root/readonly", true)).out == "write /x: EROFS\n");
  CHECK(run(bundle.erase("/root/readonly")).out == "write /x: ok\n");
}

CASE("mounts: in the listed order") {
  CITE("config.md#mounts: The runtime MUST mount entries in the listed order.");
  REQUIRES(root());
  const ScratchDirectory first("first"), second("second");
  write_file(first.path() / "name", "first");
  write_file(second.path() / "name", "second");
  Bundle bundle;
  bundle.guest({"cat", "/data/name"})
      .add_bind("/data", first.path())
      .add_bind("/data", second.path());
  CHECK(run(bundle).out == "second");
}

CASE("mounts: the destination is inside the container") {
  CITE(
      "config.md#mounts: destination (string, REQUIRED) Destination of mount point: path inside "
      "container.");
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/srv/inside", "tmpfs", "tmpfs").guest({"write", "/srv/inside/x", "y"});
  CHECK(run(bundle).out == "write /srv/inside/x: ok\n");
  CHECK_FALSE(fs::exists("/srv/inside"));
}

CASE("mounts: a bind mount is one with bind or rbind among the options, whatever the type") {
  CITE("config.md#mounts: A mount is a bind mount if it has either bind or rbind in the options.");
  REQUIRES(root());
  const ScratchDirectory source("source");
  write_file(source.path() / "name", "bound");
  for (const std::string type : {"none", "bind", "tmpfs"}) {
    for (const std::string option : {"bind", "rbind"}) {
      CAPTURE(type);
      Bundle bundle;
      bundle.add_mount("/data", type, source.path().string(), {option})
          .guest({"cat", "/data/name"});
      CHECK(run(bundle).out == "bound");
    }
  }
}

CASE("mounts: a bind source may be relative to the bundle") {
  CITE(
      "config.md#mounts: Path values for bind mounts are either absolute or relative to the "
      "bundle.");
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.path() / "volume");
  write_file(bundle.path() / "volume/name", "relative");
  CHECK(run(bundle.add_bind("/data", "volume").guest({"cat", "/data/name"})).out == "relative");
}

CASE("mounts: the options of the file system are passed on") {
  CITE(
      "config.md#mounts: options (array of strings, OPTIONAL) Mount options of the filesystem to "
      "be used.");
  REQUIRES(root());
  Bundle bundle;
  bundle.add_mount("/data", "tmpfs", "tmpfs", {"size=2m", "nr_inodes=100", "mode=0711"});
  const Outcome outcome = run(bundle.guest({"mounts", "--", "stat", "/data"}));
  CHECK(contains(outcome.out, "size=2048k"));
  CHECK(contains(outcome.out, "nr_inodes=100"));
  CHECK(contains(outcome.out, "/data dir 0711"));
}

CASE("process: args are passed as they are") {
  CITE(
      "config.md#process: args (array of strings, OPTIONAL) with similar semantics to IEEE Std "
      "1003.1-2008 execvp's argv.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.guest({"echo", "a b", "", "c"})).out == "a b  c\n");
}

CASE("process: the first of args is looked up as execvp does") {
  CITE(
      "config.md#process: This specification extends the IEEE standard in that at least one "
      "entry is REQUIRED (non-Windows), and that entry is used with the same semantics as "
      "execvp's file.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/process/args", Strings{"guest", "echo", "by PATH"})).out == "by PATH\n");
  CHECK_FALSE(create(bundle.set("/process/args", Strings{})).ok());
}

CASE("process: env is the environment") {
  CITE(
      "config.md#process: env (array of strings, OPTIONAL) with the same semantics as IEEE Std "
      "1003.1-2008's environ.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/env", Strings{"PATH=/bin", "ONE=1", "TWO=a=b"}).guest({"env"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "env ONE=1\nenv TWO=a=b\n"));
}

CASE("process: cwd is the working directory") {
  CITE(
      "config.md#process: cwd (string, REQUIRED) is the working directory that will be set for "
      "the executable.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/process/cwd", "/dev").guest({"cwd"})).out == "cwd /dev\n");
}

CASE("process: a relative cwd is an error") {
  CITE("config.md#process: This value MUST be an absolute path.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 takes it as relative to the root");
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/process/cwd", "dev")).ok());
}

CASE("process: a terminal is attached to the standard streams") {
  CITE(
      "config.md#process: As an example, if set to true on Linux a pseudoterminal pair is "
      "allocated for the process and the pseudoterminal pty is duplicated on the process's "
      "standard streams.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set("/process/terminal", true).guest({"isatty"});
  const ConsoleSocket console;
  Container container(bundle);
  REQUIRE(container.create({"--console-socket", console.path()}).ok());
  PtyMaster master = console.receive();
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(master.wait_for("isatty 2 yes"));
  CHECK(container.wait_exit(pid) == 0);
  CHECK(contains(master.text(), "isatty 0 yes\r\nisatty 1 yes\r\n"));
}

CASE("process: consoleSize is ignored without a terminal") {
  CITE("config.md#process: Runtimes MUST ignore consoleSize if terminal is false or unset.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set_json("/process/consoleSize", R"({"height": 10, "width": 20})")).ok());
}

CASE("process: rlimits match exactly") {
  CITE("config.md#posix-process: rlim.rlim_cur MUST match the configured value.");
  CITE("config.md#posix-process: rlim.rlim_max MUST match the configured value.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"rlimits"})
      .set_json("/process/rlimits", R"([{"type": "RLIMIT_CORE", "soft": 5, "hard": 7}])");
  CHECK(value_of(run(bundle).out, "RLIMIT_CORE") == "5 7");
}

CASE("process: an rlimit that the kernel does not have is an error") {
  CITE(
      "config.md#posix-process: The runtime MUST generate an error for any values which cannot "
      "be mapped to a relevant kernel interface.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/process/rlimits/0/type", "RLIMIT_NONE")).ok());
}

CASE("process: duplicate rlimits are an error") {
  CITE(
      "config.md#posix-process: If rlimits contains duplicated entries with same type, the "
      "runtime MUST generate an error.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes the last one");
  DEVIATES("crun", "1.8.1 takes the last one");
  Bundle bundle;
  bundle.set_json("/process/rlimits/-", R"({"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 512})");
  CHECK_FALSE(create(bundle).ok());
}

CASE("process: the five capability sets are those of the config") {
  CITE(
      "config.md#linux-process: capabilities (object, OPTIONAL) is an object containing arrays "
      "that specifies the sets of capabilities for the process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"caps"}).set("/process/user/uid", 1000).set_json("/process/capabilities", R"({
    "bounding": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL"], "effective": ["CAP_KILL"],
    "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]})");
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "CapBnd") == "0000000000000021");
  for (const std::string set : {"CapPrm", "CapEff", "CapInh", "CapAmb"}) {
    CAPTURE(set);
    CHECK(value_of(outcome.out, set) == "0000000000000020");
  }
}

CASE("process: an unknown capability does not fail the container") {
  CITE(
      "config.md#linux-process: Any value which cannot be mapped to a relevant kernel interface, "
      "or cannot be granted otherwise MUST be logged as a warning by the runtime.");
  CITE(
      "config.md#linux-process: Runtimes SHOULD NOT fail if the container configuration requests "
      "capabilities that cannot be granted, for example, if the runtime operates in a restricted "
      "environment with a limited set of capabilities.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/process/capabilities/bounding/-", "CAP_NONE")).ok());
}

CASE("process: noNewPrivileges") {
  CITE(
      "config.md#linux-process: noNewPrivileges (bool, OPTIONAL) setting noNewPrivileges to true "
      "prevents the process from gaining additional privileges.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(value_of(run(bundle.guest({"caps"})).out, "NoNewPrivs") == "1");
}

CASE("process: oomScoreAdj is set, 0 too") {
  CITE(
      "config.md#linux-process: If oomScoreAdj is set, the runtime MUST set oom_score_adj to the "
      "given value.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"oom-score-adj"});
  CHECK(run(bundle.set("/process/oomScoreAdj", 321)).out == "oom-score-adj 321\n");
  CHECK(run(bundle.set("/process/oomScoreAdj", 0)).out == "oom-score-adj 0\n");
}

CASE("process: without oomScoreAdj the value stays") {
  CITE(
      "config.md#linux-process: If oomScoreAdj is not set, the runtime MUST NOT change the value "
      "of oom_score_adj.");
  REQUIRES(root());
  const std::string mine = read_file("/proc/self/oom_score_adj");
  write_file("/proc/self/oom_score_adj", "77");
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"oom-score-adj"}));
  write_file("/proc/self/oom_score_adj", mine);
  CHECK(outcome.out == "oom-score-adj 77\n");
}

CASE("user: uid, gid, umask and additionalGids") {
  CITE(
      "config.md#posix-platform-user: uid (int, REQUIRED) specifies the user ID in the container "
      "namespace.");
  CITE(
      "config.md#posix-platform-user: gid (int, REQUIRED) specifies the group ID in the "
      "container namespace.");
  CITE("config.md#posix-platform-user: umask (int, OPTIONAL) specifies the umask of the user.");
  CITE(
      "config.md#posix-platform-user: additionalGids (array of ints, OPTIONAL) specifies "
      "additional group IDs in the container namespace to be added to the process.");
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"id"}).set_json(
      "/process/user", R"({"uid": 12, "gid": 34, "umask": 7, "additionalGids": [56, 78]})");
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "uid") == "12 12 12");
  CHECK(value_of(outcome.out, "gid") == "34 34 34");
  CHECK(value_of(outcome.out, "umask") == "0007");
  CHECK(contains(value_of(outcome.out, "groups"), "56 78"));
}

CASE("hostname: as seen by processes inside") {
  CITE(
      "config.md#hostname: hostname (string, OPTIONAL) specifies the container's hostname as "
      "seen by processes running inside the container.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set("/hostname", "mrsdalloway").guest({"hostname"})).out ==
        "hostname mrsdalloway\n");
}

CASE("domainname: as seen by processes inside") {
  CITE(
      "config.md#domainname: domainname (string, OPTIONAL) specifies the container's domainname "
      "as seen by processes running inside the container.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know domainname");
  Bundle bundle;
  CHECK(run(bundle.set("/domainname", "foobarbaz.test").guest({"domainname"})).out ==
        "domainname foobarbaz.test\n");
}

CASE("annotations: unknown ones are no error") {
  CITE(
      "config.md#annotations: Runtimes MUST handle unknown annotation keys like any other "
      "unknown property.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set_json("/annotations", R"({"org.example.never.heard.of": "x"})")).ok());
}

CASE("extensibility: unknown properties are no error") {
  CITE(
      "config.md#extensibility: Runtimes MAY log unknown properties but MUST otherwise ignore "
      "them.");
  CITE(
      "config.md#extensibility: That includes not generating errors if they encounter an unknown "
      "property.");
  REQUIRES(root());
  Bundle bundle;
  CHECK(run(bundle.set_json("/future", R"({"deep": [1]})").set("/linux/future", 1)).ok());
}

CASE("valid values: an invalid value is an error") {
  CITE(
      "config.md#valid-values: Runtimes MUST generate an error when invalid or unsupported "
      "values are encountered.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set("/linux/namespaces/0/type", "no-such-kind")).ok());
}

TEST_SUITE_END();
