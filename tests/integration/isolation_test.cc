// SPDX-License-Identifier: Apache-2.0
// What the program sees: its namespaces, credentials, capabilities, limits, host name and kernel
// parameters.
#include "support/suite.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

std::string link_of(const std::string& path) {
  return std::filesystem::read_symlink(path).string();
}
std::string own_namespace(const std::string& name) {
  return link_of("/proc/self/ns/" + name);
}

constexpr const char* kKinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "uts"};

}  // namespace

TEST_SUITE_BEGIN("isolation");

CASE("a read-only root in a mount namespace that is joined") {
  REQUIRES(root());
  Process holder({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sleep", "1000"});
  const std::string path = "/proc/" + std::to_string(holder.pid()) + "/ns/mnt";
  REQUIRE(eventually([&] {
    std::error_code failed;
    return fs::read_symlink(path, failed) != fs::read_symlink("/proc/self/ns/mnt");
  }));
  {
    Bundle bundle;
    bundle.set_namespace("mount", path).guest({"write", "/new", "x", "--", "ls", "/"});
    const Outcome outcome = run(bundle);
    CHECK(contains(outcome.out, "EROFS"));
  }
  holder.kill(SIGKILL);
  (void)holder.wait();
}

CASE("the program is process 1 and alone in its pid namespace") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"session", "--", "processes"}));
  CHECK(value_of(outcome.out, "pid") == "1");
  CHECK(value_of(outcome.out, "ppid") == "0");
  CHECK(value_of(outcome.out, "sid") == "1");
  CHECK(value_of(outcome.out, "processes") == "1");
}

CASE("every listed namespace is a new one") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"ns"}));
  for (const std::string kind : kKinds) {
    CAPTURE(kind);
    CHECK(contains(outcome.out, "ns " + kind + ":["));
    CHECK_FALSE(contains(outcome.out, own_namespace(kind)));
  }
  CHECK(contains(outcome.out, own_namespace("user")));
}

CASE("a container without namespaces but mount has the host's") {
  REQUIRES(root());
  Bundle bundle;
  for (const std::string kind : {"cgroup", "ipc", "network", "pid", "uts"})
    bundle.drop_namespace(kind);
  bundle.guest({"ns"}).erase("/hostname");
  const Outcome outcome = run(bundle);
  CHECK(outcome.ok());
  for (const std::string kind : {"cgroup", "ipc", "net", "pid", "uts"}) {
    CAPTURE(kind);
    CHECK(contains(outcome.out, own_namespace(kind)));
  }
}

CASE("namespaces are joined by path") {
  REQUIRES(root());
  Bundle first_bundle;
  first_bundle.guest({"pause"}).set("/hostname", "first");
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  const std::string base = "/proc/" + std::to_string(first.pid()) + "/ns/";
  Bundle bundle;
  bundle.erase("/hostname").guest({"ns", "--", "hostname", "--", "session"});
  bundle.set_namespace("network", base + "net").set_namespace("ipc", base + "ipc");
  bundle.set_namespace("uts", base + "uts").set_namespace("pid", base + "pid");
  const Outcome outcome = run(bundle);
  CHECK(outcome.ok());
  for (const std::string kind : {"net", "ipc", "uts", "pid"})
    CHECK(contains(outcome.out, link_of(base + kind)));
  CHECK_FALSE(contains(outcome.out, link_of(base + "mnt")));
  CHECK(value_of(outcome.out, "hostname") == "first");
  CHECK(value_of(outcome.out, "pid") != "1");
}

CASE("a joined mount namespace shows the first container's files") {
  REQUIRES(root());
  REQUIRES(freestanding_init());
  DEVIATES("crun", "1.8.1 looks for its own directory there");
  DEVIATES("runc", "1.1.5 fails in a mount namespace that it did not make");
  Bundle first_bundle;
  write_file(first_bundle.rootfs() / "only-here", "");
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  const std::string base = "/proc/" + std::to_string(first.pid()) + "/ns/";
  Bundle bundle;
  // The pid namespace too: /proc there knows no other processes.
  bundle.set_namespace("mount", base + "mnt").set_namespace("pid", base + "pid");
  bundle.set_json("/mounts", "[]").set_json("/linux/maskedPaths", "[]");
  bundle.set_json("/linux/readonlyPaths", "[]").writable_root().set("/root/path", "/");
  const Outcome outcome = run(bundle.guest({"ns", "--", "ls", "/"}));
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, link_of(base + "mnt")));
  CHECK(contains(outcome.out, "only-here"));
}

CASE("a container without any namespace runs in its root") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 cannot, and leaves a mount on the host");
  DEVIATES("crun", "1.8.1 insists on /dev");
  Bundle bundle;
  bundle.set_json("/linux/namespaces", "[]")
      .set_json("/mounts", "[]")
      .set_json("/linux/maskedPaths", "[]");
  bundle.set_json("/linux/readonlyPaths", "[]")
      .writable_root()
      .erase("/hostname")
      .guest({"ls", "/"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "bin\n"));
  CHECK_FALSE(contains(outcome.out, "usr\n"));
}

CASE("System V queues are seen through a shared ipc namespace and not otherwise") {
  REQUIRES(root());
  Bundle first_bundle;
  first_bundle.guest({"msg", "make", "4711", "--", "pause"});
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/ipc";
  REQUIRE(first.start().ok());
  REQUIRE(first.wait_output("ready"));
  Bundle bundle;
  bundle.guest({"msg", "find", "4711"});
  CHECK(contains(run(bundle).out, "ENOENT"));
  bundle.set_namespace("ipc", path);
  CHECK(contains(run(bundle).out, "msg 4711: ok"));
}

CASE("a namespace path of the wrong kind is an error that names the entry") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set_namespace("network", "/proc/self/ns/uts");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  if (is_onggi()) CHECK(contains(outcome.err, "linux.namespaces[5]"));
}

CASE("a namespace path that does not exist is an error") {
  REQUIRES(root());
  Bundle bundle;
  bundle.set_namespace("network", "/no/such/netns");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "o such file or directory"));
  if (is_onggi()) CHECK(contains(outcome.err, "linux.namespaces[5].path"));
}

CASE("a new network namespace has lo and it is up") {
  REQUIRES(root());
  Bundle bundle;
  CHECK(contains(run(bundle.guest({"interfaces"})).out, "interface lo up\n"));
}

CASE("the hostname is the container's own") {
  REQUIRES(root());
  char before[256] = {}, after[256] = {};
  gethostname(before, sizeof before - 1);
  Bundle bundle;
  CHECK(run(bundle.set("/hostname", "other-name").guest({"hostname"})).out ==
        "hostname other-name\n");
  gethostname(after, sizeof after - 1);
  CHECK(std::string(before) == after);
}

CASE("the domain name is the container's own") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know domainname");
  Bundle bundle;
  CHECK(run(bundle.set("/domainname", "example.org").guest({"domainname"})).out ==
        "domainname example.org\n");
}

CASE("ids, groups and umask are those of the config") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"id"}).set_json("/process/user",
                                R"({"uid":1000,"gid":1001,"additionalGids":[5,6],"umask":63})");
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "uid") == "1000 1000 1000");
  CHECK(value_of(outcome.out, "gid") == "1001 1001 1001");
  CHECK(value_of(outcome.out, "umask") == "0077");
  const std::string groups = value_of(outcome.out, "groups");
  CHECK((groups == "5 6" || groups == "5 6 1001"));
}

CASE("the umask is 0022 when the config has none, whatever the caller's (checklist 11)") {
  REQUIRES(root());
  Bundle bundle;
  const mode_t mine = umask(0077);
  const Outcome outcome = run(bundle.guest({"id"}));
  umask(mine);
  CHECK(value_of(outcome.out, "umask") == "0022");
}

CASE("the capability sets are those of the config") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"caps"}).set_json("/process/capabilities", R"({
    "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"], "effective": ["CAP_CHOWN", "CAP_KILL"],
    "permitted": ["CAP_CHOWN", "CAP_KILL"], "inheritable": ["CAP_CHOWN"], "ambient": ["CAP_CHOWN"]})");
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "CapBnd") == "0000000000000421");
  CHECK(value_of(outcome.out, "CapInh") == "0000000000000001");
  CHECK(value_of(outcome.out, "CapAmb") == "0000000000000001");
  // noNewPrivileges keeps uid 0 from gaining the bounding set by execve.
  CHECK(value_of(outcome.out, "CapPrm") == "0000000000000021");
  CHECK(value_of(run(bundle.set("/process/noNewPrivileges", false)).out, "CapPrm") ==
        "0000000000000421");
}

CASE("ambient capabilities give an ordinary user exactly what the config says") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"caps"}).set("/process/user/uid", 1000).set_json("/process/capabilities", R"({
    "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"], "effective": ["CAP_NET_BIND_SERVICE"],
    "permitted": ["CAP_NET_BIND_SERVICE"], "inheritable": ["CAP_NET_BIND_SERVICE"],
    "ambient": ["CAP_NET_BIND_SERVICE"]})");
  const Outcome outcome = run(bundle);
  for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
    CAPTURE(set);
    CHECK(value_of(outcome.out, set) == "0000000000000400");
  }
  CHECK(value_of(outcome.out, "CapBnd") == "0000000000000421");
}

CASE("without a capabilities block the program has none") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"caps"}).erase("/process/capabilities"));
  for (const std::string set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    CAPTURE(set);
    CHECK(value_of(outcome.out, set) == "0000000000000000");
  }
}

CASE("an unknown capability is a warning, not an error") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"echo", "runs"}).set("/process/capabilities/bounding/-", "CAP_OF_THE_FUTURE");
  const Outcome outcome = run(bundle);
  CHECK(outcome.ok());
  CHECK(outcome.out == "runs\n");
}

CASE("noNewPrivileges is set and unset as the config says") {
  REQUIRES(root());
  Bundle bundle;
  CHECK(value_of(run(bundle.guest({"caps"})).out, "NoNewPrivs") == "1");
  CHECK(value_of(run(bundle.set("/process/noNewPrivileges", false)).out, "NoNewPrivs") == "0");
}

CASE("resource limits are set exactly") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"rlimits"}).set_json("/process/rlimits", R"([
    {"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 4096},
    {"type": "RLIMIT_NPROC", "soft": 50, "hard": 60}, {"type": "RLIMIT_STACK", "soft": 1048576, "hard": 1048576},
    {"type": "RLIMIT_FSIZE", "soft": 1048576, "hard": 18446744073709551615}])");
  const Outcome outcome = run(bundle);
  CHECK(value_of(outcome.out, "RLIMIT_NOFILE") == "100 200");
  CHECK(value_of(outcome.out, "RLIMIT_CORE") == "0 4096");
  CHECK(value_of(outcome.out, "RLIMIT_NPROC") == "50 60");
  CHECK(value_of(outcome.out, "RLIMIT_STACK") == "1048576 1048576");
  CHECK(value_of(outcome.out, "RLIMIT_FSIZE") == "1048576 18446744073709551615");
}

CASE("a hard limit that may not be raised is an error that names the entry") {
  REQUIRES(root());
  REQUIRES((Need{!capability(24, "").met, "needs a host without CAP_SYS_RESOURCE"}));
  Bundle bundle;
  bundle.set_json("/process/rlimits",
                  R"([{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 100000000}])");
  const Outcome outcome = run(bundle);
  CHECK(outcome.status == 1);
  if (is_onggi()) CHECK(contains(outcome.err, "process.rlimits[0]"));
}

CASE("oomScoreAdj is set, and left alone when absent") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"oom-score-adj"});
  const std::string mine = read_file("/proc/self/oom_score_adj");
  CHECK(run(bundle).out == "oom-score-adj " + mine);
  CHECK(run(bundle.set("/process/oomScoreAdj", 500)).out == "oom-score-adj 500\n");
}

CASE("a sysctl of an own namespace is set") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/msgmax",
                "/proc/sys/fs/mqueue/msg_max"});
  bundle.set_json(
      "/linux/sysctl",
      R"({"net.ipv4.ip_forward": "1", "kernel.msgmax": "65000", "fs.mqueue.msg_max": "33"})");
  CHECK(run(bundle).out == "1\n65000\n33\n");
}

CASE("a sysctl of the host's namespace is refused and not set") {
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/kernel/msgmax");
  Bundle bundle;
  bundle.drop_namespace("ipc")
      .drop_mount("/dev/mqueue")
      .set_json("/linux/sysctl", R"({"kernel.msgmax": "12345"})");
  const Outcome outcome = create(bundle);
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "msgmax"));
  CHECK(read_file("/proc/sys/kernel/msgmax") == before);
}

CASE("a sysctl without any namespace is refused and not set") {
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/vm/swappiness");
  Bundle bundle;
  const Outcome outcome = create(bundle.set_json("/linux/sysctl", R"({"vm.swappiness": "1"})"));
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "vm.swappiness"));
  CHECK(read_file("/proc/sys/vm/swappiness") == before);
}

CASE("a user namespace maps the ids") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  bundle.guest({"id", "--", "cat", "/proc/self/uid_map", "/proc/self/gid_map", "--", "ns", "--",
                "stat", "/dev/null"});
  bundle.set_namespace("user").set_json("/linux/uidMappings",
                                        R"([{"containerID":0,"hostID":100000,"size":65536}])");
  bundle.set_json("/linux/gidMappings", R"([{"containerID":0,"hostID":200000,"size":65536}])");
  std::filesystem::permissions(bundle.rootfs(), std::filesystem::perms{0777});
  CHECK(chown(bundle.rootfs().c_str(), 100000, 200000) == 0);
  Container container(bundle);
  REQUIRE(container.create().ok());
  const std::string status = read_file("/proc/" + std::to_string(container.pid()) + "/status");
  CHECK(contains(status, "Uid:\t100000\t100000"));
  const pid_t pid = container.pid();
  CHECK(container.start().ok());
  CHECK(container.wait_exit(pid) == 0);
  const std::string out = container.output();
  CHECK(value_of(out, "uid") == "0 0 0");
  CHECK(contains(out, "100000"));
  CHECK(contains(out, "200000"));
  CHECK_FALSE(contains(out, own_namespace("user")));
  CHECK(contains(out, "/dev/null char 0666"));
}

CASE("time namespace offsets shift the clocks") {
  REQUIRES(root());
  REQUIRES(file("/proc/self/ns/time"));
  DEVIATES("runc", "1.1.5 does not know time namespaces");
  DEVIATES("crun", "1.8.1 fails to create one");
  Bundle bundle;
  bundle.guest({"clocks"})
      .set_namespace("time")
      .set_json("/linux/timeOffsets", R"({"boottime": {"secs": 1000000}})");
  timespec now = {};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(atol(value_of(outcome.out, "boottime").c_str()) >= now.tv_sec + 1'000'000);
}

CASE("signal dispositions and masks of the caller are not inherited") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"signals"});
  signal(SIGUSR1, SIG_IGN);
  const Outcome outcome = run(bundle);
  signal(SIGUSR1, SIG_DFL);
  CHECK(value_of(outcome.out, "SigBlk") == "0000000000000000");
  CHECK(value_of(outcome.out, "SigIgn") == "0000000000000000");
}

CASE("scheduler, I/O priority and memory policy are the program's") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know them");
  DEVIATES("crun", "1.8.1 does not know ioPriority and memoryPolicy");
  Bundle bundle;
  bundle.set_json("/process/scheduler", R"({"policy": "SCHED_BATCH", "nice": 7})")
      .set_json("/process/ioPriority", R"({"class": "IOPRIO_CLASS_BE", "priority": 6})")
      .set_json("/linux/memoryPolicy", R"({"mode": "MPOL_PREFERRED", "nodes": "0"})")
      .guest({"scheduling"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(value_of(outcome.out, "policy") == "3");
  CHECK(value_of(outcome.out, "nice") == "7");
  CHECK(value_of(outcome.out, "ioprio") == std::to_string(2 << 13 | 6));
  CHECK(value_of(outcome.out, "mempolicy") == "1");
  CHECK(value_of(outcome.out, "nodes") == "1");
}

CASE("/dev/core is a link to kcore where there is one, and missing elsewhere (checklist 22)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not start without procfs");
  DEVIATES("crun", "1.8.1 does not start without procfs");
  Bundle bundle;
  // Files of the image in place of procfs, so that kcore can be there or not.
  std::filesystem::create_directory(bundle.rootfs() / "proc");
  bundle.drop_mount("/proc").set_json("/linux/maskedPaths", "[]");
  bundle.set_json("/linux/readonlyPaths", "[]").guest({"stat", "/dev/core"});
  CHECK(run(bundle).out == "stat /dev/core: ENOENT\n");
  write_file(bundle.rootfs() / "proc/kcore", "");
  CHECK(run(bundle).out == "/dev/core link 0777 0 0 0:0 -> /proc/kcore\n");
}

CASE("personality LINUX32 is seen by uname") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 does not know personality");
  Bundle bundle;
  bundle.guest({"machine"}).set_json("/linux/personality", R"({"domain": "LINUX32"})");
  CHECK(run(bundle).out == "machine i686\n");
}

TEST_SUITE_END();
