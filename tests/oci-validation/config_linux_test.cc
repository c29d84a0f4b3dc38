// SPDX-License-Identifier: Apache-2.0
// config-linux.md: namespaces, mappings, devices, control groups, sysctl, seccomp, masked and
// read-only paths.
#include "support/suite.h"

#include <time.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {
std::string own_namespace(const std::string& name) {
  return fs::read_symlink("/proc/self/ns/" + name).string();
}
}  // namespace

TEST_SUITE_BEGIN("config_linux");

CASE("default file systems are available") {
  CITE(
      "config-linux.md#default-filesystems: The following filesystems SHOULD be made available in "
      "each container's "
      "filesystem: /proc, /sys, /dev/pts, /dev/shm");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"mounts"}));
  for (const std::string part : {" /proc ", " /sys ", " /dev/pts ", " /dev/shm "})
    CHECK(contains(outcome.out, part));
}

CASE("namespaces: a type without a path makes a new one") {
  CITE(
      "config-linux.md#namespaces: If path is not specified, the runtime MUST create a new "
      "container namespace of type "
      "type.");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"ns"}));
  for (const std::string kind : {"cgroup", "ipc", "mnt", "net", "pid", "uts"}) {
    CAPTURE(kind);
    CHECK_FALSE(contains(outcome.out, own_namespace(kind)));
  }
}

CASE("namespaces: a type that is not listed is inherited") {
  CITE(
      "config-linux.md#namespaces: If a namespace type is not specified in the namespaces array, "
      "the container MUST "
      "inherit the runtime namespace of that type.");
  REQUIRES(root());
  Bundle bundle;
  bundle.erase("/hostname").guest({"ns"});
  for (const std::string kind : {"cgroup", "ipc", "network", "uts"}) bundle.drop_namespace(kind);
  const Outcome outcome = run(bundle);
  for (const std::string kind : {"cgroup", "ipc", "net", "user", "uts"}) {
    CAPTURE(kind);
    CHECK(contains(outcome.out, own_namespace(kind)));
  }
}

CASE("namespaces: a path is joined") {
  CITE(
      "config-linux.md#namespaces: The runtime MUST place the container process in the namespace "
      "associated with that "
      "path.");
  REQUIRES(root());
  Bundle first_bundle;
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  const std::string path = "/proc/" + std::to_string(first.pid()) + "/ns/net";
  Bundle bundle;
  bundle.set_namespace("network", path).guest({"ns"});
  CHECK(contains(run(bundle).out, fs::read_symlink(path).string()));
}

CASE("namespaces: a path of another type is an error") {
  CITE(
      "config-linux.md#namespaces: The runtime MUST generate an error if path is not associated "
      "with a namespace of "
      "type type.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set_namespace("ipc", "/proc/self/ns/net")).ok());
}

CASE("namespaces: a relative path is an error") {
  CITE(
      "config-linux.md#namespaces: This value MUST be an absolute path in the runtime mount "
      "namespace.");
  REQUIRES(root());
  Bundle bundle;
  CHECK_FALSE(create(bundle.set_namespace("ipc", "proc/self/ns/ipc")).ok());
}

CASE("namespaces: duplicates are an error") {
  CITE(
      "config-linux.md#namespaces: If a namespaces field contains duplicated namespaces with same "
      "type, the runtime "
      "MUST generate an error.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 accepts them");
  Bundle bundle;
  CHECK_FALSE(create(bundle.set_json("/linux/namespaces/-", R"({"type": "ipc"})")).ok());
}

CASE("user namespace mappings are those of the config, and the rootfs keeps its owner") {
  CITE(
      "config-linux.md#user-namespace-mappings: The runtime SHOULD NOT modify the ownership of "
      "referenced filesystems "
      "to realize the mapping.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  bundle.set_namespace("user").guest(
      {"cat", "/proc/self/uid_map", "/proc/self/gid_map", "--", "stat", "/bin/guest"});
  bundle.set_json("/linux/uidMappings", R"([{"containerID": 0, "hostID": 300000, "size": 1000}])");
  bundle.set_json("/linux/gidMappings", R"([{"containerID": 0, "hostID": 400000, "size": 2000}])");
  REQUIRE(chown(bundle.rootfs().c_str(), 300000, 400000) == 0);
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "300000       1000"));
  CHECK(contains(outcome.out, "400000       2000"));
  CHECK(contains(outcome.out, "/bin/guest file 0755 65534 65534"));
}

CASE("time offsets are those of the config") {
  CITE(
      "config-linux.md#offset-for-time-namespace: timeOffsets (object, OPTIONAL) sets the offset "
      "for Time Namespace.");
  REQUIRES(root());
  REQUIRES(file("/proc/self/ns/time"));
  DEVIATES("runc", "1.1.5 does not know time namespaces");
  DEVIATES("crun", "1.8.1 fails to create one");
  Bundle bundle;
  bundle.set_namespace("time")
      .set_json("/linux/timeOffsets", R"({"monotonic": {"secs": 86400}})")
      .guest({"clocks"});
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  CHECK(atol(value_of(run(bundle).out, "monotonic").c_str()) >= now.tv_sec + 86400);
}

CASE("devices: listed ones are available") {
  CITE(
      "config-linux.md#devices: devices (array of objects, OPTIONAL) lists devices that MUST be "
      "available in the "
      "container.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/linux/devices",
                  R"([{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438,
    "uid": 0, "gid": 0}, {"path": "/dev/sda", "type": "b", "major": 8, "minor": 0, "fileMode": 432, "uid": 1, "gid": 2}])");
  const Outcome outcome = run(bundle.guest({"stat", "/dev/fuse", "/dev/sda"}));
  CHECK(contains(outcome.out, "/dev/fuse char 0666 0 0 10:229\n"));
  CHECK(contains(outcome.out, "/dev/sda block 0660 1 2 8:0\n"));
}

CASE("devices: outside of /dev") {
  CITE(
      "config-linux.md#devices: The path MAY be anywhere in the container filesystem, notably "
      "outside of /dev.");
  REQUIRES(root());
  Bundle bundle;
  bundle.writable_root().set_json(
      "/linux/devices", R"([{"path": "/nodes/null", "type": "c", "major": 1, "minor": 3}])");
  CHECK(
      contains(run(bundle.guest({"stat", "/nodes/null"})).out, "/nodes/null char 0666 0 0 1:3\n"));
}

CASE("devices: an existing file that is not the device is an error") {
  CITE(
      "config-linux.md#devices: If a file already exists at path that does not match the requested "
      "device, the runtime "
      "MUST generate an error.");
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes what is there");
  DEVIATES("crun", "1.8.1 takes what is there");
  Bundle bundle;
  write_file(bundle.rootfs() / "node", "a file");
  bundle.set_json("/linux/devices", R"([{"path": "/node", "type": "c", "major": 1, "minor": 3}])");
  CHECK_FALSE(create(bundle).ok());
}

CASE("devices: the default ones are supplied") {
  CITE(
      "config-linux.md#default-devices: In addition to any devices configured with this setting, "
      "the runtime MUST also "
      "supply: /dev/null, /dev/zero, /dev/full, /dev/random, /dev/urandom, /dev/tty, /dev/ptmx");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome =
      run(bundle.guest({"stat", "/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                        "/dev/urandom", "/dev/tty", "/dev/ptmx"}));
  CHECK_FALSE(contains(outcome.out, "ENOENT"));
  CHECK(contains(outcome.out, "/dev/null char 0666 0 0 1:3\n"));
  CHECK(contains(outcome.out, "/dev/urandom char 0666 0 0 1:9\n"));
}

CASE("cgroups: an absolute path is relative to the mount point of the hierarchy") {
  CITE(
      "config-linux.md#cgroups-path: In the case of an absolute path (starting with /), the "
      "runtime MUST take the path "
      "to be relative to the cgroups mount point.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", "/" + tag() + "-absolute");
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(cgroup_directory(container.pid(), "pids").filename() == tag() + "-absolute");
}

CASE("cgroups: the same path is the same place every time") {
  CITE(
      "config-linux.md#cgroups-path: If the value is specified, the runtime MUST consistently "
      "attach to the same place "
      "in the cgroups hierarchy given the same value of cgroupsPath.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  for (const std::string& path : {"/" + tag() + "-same", tag() + "-relative"}) {
    CAPTURE(path);
    Bundle bundle;
    bundle.set("/linux/cgroupsPath", path);
    std::filesystem::path seen[2];
    for (auto& place : seen) {
      Container container(bundle);
      REQUIRE(container.create().ok());
      place = cgroup_directory(container.pid(), "pids");
      CHECK(container.remove(true).ok());
    }
    CHECK(seen[0] == seen[1]);
  }
}

CASE("cgroups: limits of memory, cpu and pids are set") {
  CITE(
      "config-linux.md#control-groups: You can configure a container's cgroups via the resources "
      "field of the Linux "
      "configuration.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  Bundle bundle;
  bundle.set_json("/linux/resources", R"({"memory": {"limit": 104857600}, "pids": {"limit": 50},
                                          "cpu": {"quota": 20000, "period": 100000}})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  CHECK(cgroup_value(pid, "memory", "memory.limit_in_bytes", "memory.max") == "104857600");
  CHECK(cgroup_value(pid, "pids", "pids.max", "pids.max") == "50");
  CHECK(contains(cgroup_value(pid, "cpu", "cpu.cfs_quota_us", "cpu.max"), "20000"));
}

CASE("cgroups: the allowed device list is applied in order") {
  CITE("config-linux.md#allowed-device-list: The runtime MUST apply entries in the listed order.");
  REQUIRES(root());
  Bundle bundle;
  bundle.set_json("/linux/devices",
                  R"([{"type": "c", "path": "/dev/open", "major": 10, "minor": 229},
                                        {"type": "c", "path": "/dev/closed", "major": 1, "minor": 1}])");
  bundle.set_json("/linux/resources/devices", R"([{"allow": false, "access": "rwm"},
    {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"},
    {"allow": true, "type": "c", "major": 1, "minor": 1, "access": "rw"},
    {"allow": false, "type": "c", "major": 1, "minor": 1, "access": "rw"}])");
  const Outcome outcome =
      run(bundle.guest({"open", "/dev/open", "r", "--", "open", "/dev/closed", "r"}));
  // Whether there is a driver behind the number is not the question.
  CHECK_FALSE(contains(outcome.out, "open /dev/open: EPERM"));
  CHECK(contains(outcome.out, "open /dev/closed: EPERM\n"));
}

CASE("unified: an error on a hierarchy that is not unified") {
  CITE(
      "config-linux.md#unified: The runtime MUST generate an error when the configuration refers "
      "to a cgroup controller "
      "that is not present or that cannot be enabled.");
  REQUIRES(root());
  REQUIRES(cgroup_v1());
  DEVIATES("crun", "1.8.1 leaves the cgroups of a failed create behind");
  Bundle bundle;
  CHECK_FALSE(
      create(bundle.set_json("/linux/resources/unified", R"({"memory.max": "104857600"})")).ok());
}

CASE("intelRdt: an error without resctrl") {
  CITE(
      "config-linux.md#intelrdt: If no mounted resctrl pseudo-filesystem is available in the "
      "runtime mount namespace, "
      "the runtime MUST generate an error.");
  REQUIRES(root());
  REQUIRES((Need{!file("/sys/fs/resctrl/schemata").met, "needs a host without resctrl"}));
  DEVIATES("crun", "1.8.1 ignores it");
  Bundle bundle;
  CHECK_FALSE(
      create(bundle.set_json("/linux/intelRdt", R"({"closID": "x", "l3CacheSchema": "L3:0=f"})"))
          .ok());
}

CASE("sysctl: kernel parameters are set for the container alone") {
  CITE(
      "config-linux.md#sysctl: sysctl (object, OPTIONAL) allows kernel parameters to be modified "
      "at runtime for the "
      "container.");
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/net/core/somaxconn");
  Bundle bundle;
  bundle.set_json("/linux/sysctl", R"({"net.core.somaxconn": "256"})")
      .guest({"cat", "/proc/sys/net/core/somaxconn"});
  CHECK(run(bundle).out == "256\n");
  CHECK(read_file("/proc/sys/net/core/somaxconn") == before);
}

CASE("seccomp: an action with an errno") {
  CITE(
      "config-linux.md#seccomp: errnoRet (uint, OPTIONAL) - the errno return code to use. If not "
      "specified its default "
      "value is EPERM.");
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

CASE("masked paths cannot be read") {
  CITE(
      "config-linux.md#masked-paths: maskedPaths (array of strings, OPTIONAL) will mask over the "
      "provided paths inside "
      "the container so that they cannot be read.");
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "directory");
  write_file(bundle.rootfs() / "directory/secret", "secret");
  write_file(bundle.rootfs() / "secret", "secret");
  bundle.set("/linux/maskedPaths", Strings{"/directory", "/secret"});
  CHECK_FALSE(contains(run(bundle.guest({"cat", "/secret", "/directory/secret"})).out, "secret\n"));
  CHECK(run(bundle.guest({"cat", "/secret", "--", "ls", "/directory"})).out.empty());
}

CASE("read-only paths cannot be written") {
  CITE(
      "config-linux.md#readonly-paths: readonlyPaths (array of strings, OPTIONAL) will set the "
      "provided paths as "
      "readonly inside the container.");
  REQUIRES(root());
  Bundle bundle;
  fs::create_directory(bundle.rootfs() / "fixed");
  bundle.writable_root()
      .set("/linux/readonlyPaths", Strings{"/fixed"})
      .guest({"write", "/fixed/x", "y"});
  CHECK(run(bundle).out == "write /fixed/x: EROFS\n");
}

CASE("rootfsPropagation: every value of the specification runs, others are an error") {
  CITE(
      "config-linux.md#rootfs-mount-propagation: rootfsPropagation (string, OPTIONAL) sets the "
      "rootfs's mount "
      "propagation. Its value is either shared, slave, private or unbindable.");
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
