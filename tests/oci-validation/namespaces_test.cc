// SPDX-License-Identifier: Apache-2.0
// config-linux.md: namespaces (new, inherited, joined) and the mappings of user namespaces.
#include "support/suite.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

struct Type {
  const char* name;  // in config.json
  const char* file;  // in /proc/PID/ns
};
constexpr Type kTypes[] = {{"pid", "pid"},       {"network", "net"}, {"mount", "mnt"},
                           {"ipc", "ipc"},       {"uts", "uts"},     {"user", "user"},
                           {"cgroup", "cgroup"}, {"time", "time"}};

std::string namespace_of(pid_t pid, const std::string& file) {
  return fs::read_symlink("/proc/" + std::to_string(pid) + "/ns/" + file).string();
}
std::string own_namespace(const std::string& file) {
  return namespace_of(getpid(), file);
}
std::string path_of(const Container& container, const std::string& file) {
  return "/proc/" + std::to_string(container.pid()) + "/ns/" + file;
}

// A further process of the first container's namespace: `ns` of the guest shows the same one.
void check_joined(const Type& type) {
  Bundle first_bundle;
  if (std::string(type.name) == "time") first_bundle.set_namespace("time");
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  Bundle bundle;
  bundle.set_namespace(type.name, path_of(first, type.file)).guest({"ns"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.ok());
  const std::string joined = namespace_of(first.pid(), type.file);
  CHECK(joined != own_namespace(type.file));
  CHECK(contains(outcome.out, joined + "\n"));
}

void map_user(Bundle& bundle) {
  bundle.set_namespace("user")
      .set_json("/linux/uidMappings", R"([{"containerID": 0, "hostID": 300000, "size": 1000}])")
      .set_json("/linux/gidMappings", R"([{"containerID": 0, "hostID": 400000, "size": 2000}])");
  REQUIRE(chown(bundle.rootfs().c_str(), 300000, 400000) == 0);
}

Bundle& give_sys_admin(Bundle& bundle) {
  for (const std::string set : {"bounding", "effective", "permitted"})
    bundle.set("/process/capabilities/" + set, Strings{"CAP_SYS_ADMIN"});
  return bundle;
}

// Leaves out all that needs a mount namespace of the container's own.
Bundle& without_mounts(Bundle& bundle) {
  for (const std::string field : {"/mounts", "/linux/maskedPaths", "/linux/readonlyPaths"})
    bundle.erase(field);
  return bundle.writable_root().drop_namespace("mount");
}

constexpr const char* kPlaced =
    "config-linux.md#namespaces: The runtime MUST place the container process in the namespace "
    "associated with that path.";
constexpr const char* kInherited =
    "config-linux.md#namespaces: If a namespace type is not specified in the namespaces array, the "
    "container MUST inherit the runtime namespace of that type.";
constexpr const char* kNoTimeInRunc = "1.1.5 does not know time namespaces";
constexpr const char* kNoTimeInCrun = "1.8.1 fails to create one";

}  // namespace

TEST_SUITE_BEGIN("namespaces");

CASE("namespaces: a type without a path makes a new one") {
  CITE(
      "config-linux.md#namespaces: If path is not specified, the runtime MUST create a new "
      "container namespace of type type.");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"ns"}));
  for (const std::string file : {"cgroup", "ipc", "mnt", "net", "pid", "uts"}) {
    CAPTURE(file);
    CHECK_FALSE(contains(outcome.out, own_namespace(file)));
  }
}

CASE("namespaces: a new user namespace") {
  CITE(
      "config-linux.md#namespaces: user the container will be able to remap user and group IDs "
      "from the host to local users and groups within the container.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  map_user(bundle);
  const Outcome outcome = run(bundle.guest({"ns", "--", "id"}));
  CHECK_FALSE(contains(outcome.out, own_namespace("user")));
  CHECK(contains(outcome.out, "uid 0 0 0\ngid 0 0 0\n"));
}

CASE("namespaces: a new time namespace") {
  CITE("config-linux.md#namespaces: time the container will be able to have its own clocks.");
  REQUIRES(root());
  REQUIRES(file("/proc/self/ns/time"));
  DEVIATES("runc", kNoTimeInRunc);
  DEVIATES("crun", kNoTimeInCrun);
  Bundle bundle;
  const Outcome outcome = run(bundle.set_namespace("time").guest({"ns"}));
  CHECK(outcome.ok());
  CHECK_FALSE(contains(outcome.out, own_namespace("time")));
}

CASE("namespaces: pid shows the container's processes alone") {
  CITE(
      "config-linux.md#namespaces: pid processes inside the container will only be able to see "
      "other processes inside the same container or inside the same pid namespace.");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"processes", "--", "session"}));
  CHECK(contains(outcome.out, "processes 1\n"));
  CHECK(contains(outcome.out, "pid 1\n"));
}

CASE("namespaces: in a joined pid namespace both containers' processes are seen") {
  CITE(
      "config-linux.md#namespaces: pid processes inside the container will only be able to see "
      "other processes inside the same container or inside the same pid namespace.");
  REQUIRES(root());
  Bundle first_bundle;
  Container first(first_bundle.guest({"pause"}));
  REQUIRE(first.create().ok());
  REQUIRE(first.start().ok());
  REQUIRE(first.wait_output("ready"));
  Bundle bundle;
  bundle.set_namespace("pid", path_of(first, "pid")).guest({"cat", "/proc/1/cmdline"});
  CHECK(contains(run(bundle).out, std::string("/bin/guest\0pause", 16)));
}

CASE("namespaces: network is a stack of its own") {
  CITE("config-linux.md#namespaces: network the container will have its own network stack.");
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"ns", "--", "interfaces"}));
  CHECK_FALSE(contains(outcome.out, own_namespace("net")));
  CHECK(contains(outcome.out, "interface lo up\n"));
  CHECK_FALSE(contains(outcome.out, "interface eth0 "));
}

CASE("namespaces: mounts of the container are not those of the runtime") {
  CITE("config-linux.md#namespaces: mount the container will have an isolated mount table.");
  REQUIRES(root());
  Bundle bundle;
  const Strings before = mount_points();
  give_sys_admin(bundle).guest({"mount-tmpfs", "/dev/shm", "--", "pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  CHECK(container.wait_output("mount /dev/shm: ok\nready\n"));
  CHECK(mount_points() == before);
}

CASE("namespaces: System V message queues are not shared with the runtime") {
  CITE(
      "config-linux.md#namespaces: ipc processes inside the container will only be able to "
      "communicate to other processes inside the same container via system level IPC.");
  REQUIRES(root());
  const key_t key = 0x0c1000 + getpid();
  const int queue = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
  REQUIRE(queue >= 0);
  Bundle separate, shared;
  separate.guest({"msg", "find", std::to_string(key)});
  shared.drop_namespace("ipc").guest({"msg", "find", std::to_string(key)});
  const Outcome unseen = run(separate), seen = run(shared);
  msgctl(queue, IPC_RMID, nullptr);
  CHECK(contains(unseen.out, ": ENOENT\n"));
  CHECK(contains(seen.out, ": ok\n"));
}

CASE("namespaces: a new name of the container is not the host's") {
  CITE(
      "config-linux.md#namespaces: uts the container will be able to have its own hostname and "
      "domain name.");
  REQUIRES(root());
  const std::string before = read_file("/proc/sys/kernel/hostname");
  Bundle bundle;
  give_sys_admin(bundle).guest({"set-hostname", "renamed", "--", "hostname"});
  CHECK(run(bundle).out == "set-hostname ok\nhostname renamed\n");
  CHECK(read_file("/proc/sys/kernel/hostname") == before);
}

CASE("namespaces: the container is at the root of its cgroup namespace") {
  CITE(
      "config-linux.md#namespaces: cgroup the container will have an isolated view of the cgroup "
      "hierarchy.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", "/" + tag() + "-view").guest({"cgroup"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, ":/\n"));
  CHECK_FALSE(contains(outcome.out, tag()));
}

CASE("namespaces: a type that is not listed is inherited") {
  CITE(kInherited);
  REQUIRES(root());
  Bundle bundle;
  bundle.erase("/hostname").guest({"ns"});
  for (const std::string type : {"cgroup", "ipc", "network", "uts"}) bundle.drop_namespace(type);
  const Outcome outcome = run(bundle);
  for (const std::string file : {"cgroup", "ipc", "net", "time", "user", "uts"}) {
    CAPTURE(file);
    CHECK(contains(outcome.out, own_namespace(file)));
  }
}

CASE("namespaces: the pid namespace is inherited when it is not listed") {
  CITE(kInherited);
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.drop_namespace("pid").guest({"ns"}));
  CHECK(outcome.ok());
  CHECK(contains(outcome.out, own_namespace("pid")));
}

CASE("namespaces: the mount namespace is inherited when it is not listed") {
  CITE(kInherited);
  REQUIRES(root());
  EXCLUDES("runc",
           "1.1.5 needs a proc in the root filesystem, and leaves a mount on it when it fails");
  DEVIATES("crun", "1.8.1 does not start without mounts");
  Bundle bundle;
  Container container(without_mounts(bundle));
  REQUIRE(container.create().ok());
  CHECK(namespace_of(container.pid(), "mnt") == own_namespace("mnt"));
}

CASE("namespaces: what is inherited is the runtime's, not the host's") {
  CITE(kInherited);
  REQUIRES(root());
  Bundle bundle;
  bundle.drop_namespace("network").guest({"ns"});
  Container container(bundle);
  bundle.write();
  Strings command = {"/usr/bin/unshare", "--net", "--"};
  for (const std::string& word : container.create_command()) command.push_back(word);
  REQUIRE(run_program(command).ok());
  CHECK(namespace_of(container.pid(), "net") != own_namespace("net"));
}

CASE("namespaces: the network namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  check_joined({"network", "net"});
}

CASE("namespaces: the ipc namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  check_joined({"ipc", "ipc"});
}

CASE("namespaces: the uts namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  check_joined({"uts", "uts"});
}

CASE("namespaces: the pid namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  check_joined({"pid", "pid"});
}

CASE("namespaces: the cgroup namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  check_joined({"cgroup", "cgroup"});
}

CASE("namespaces: the time namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  REQUIRES(file("/proc/self/ns/time"));
  DEVIATES("runc", kNoTimeInRunc);
  DEVIATES("crun", kNoTimeInCrun);
  check_joined({"time", "time"});
}

CASE("namespaces: the mount namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 needs a proc in the root filesystem");
  EXCLUDES("crun", "1.8.1 does not start without mounts");
  Process holder({"/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sleep", "1000"});
  REQUIRE(eventually([&] { return namespace_of(holder.pid(), "mnt") != own_namespace("mnt"); }));
  {
    Bundle bundle;
    without_mounts(bundle).set_namespace("mount",
                                         "/proc/" + std::to_string(holder.pid()) + "/ns/mnt");
    Container container(bundle);
    CHECK(container.create().ok());
    CHECK(namespace_of(container.pid(), "mnt") == namespace_of(holder.pid(), "mnt"));
  }
  holder.kill(SIGKILL);
  (void)holder.wait();
}

CASE("namespaces: the user namespace of a path is joined") {
  CITE(kPlaced);
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 wants mappings for a user namespace that has its own");
  REQUIRES(user_namespaces());
  Bundle first_bundle;
  map_user(first_bundle);
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  Bundle bundle;
  bundle.set_namespace("user", path_of(first, "user"))
      .guest({"ns", "--", "cat", "/proc/self/uid_map"});
  REQUIRE(chown(bundle.rootfs().c_str(), 300000, 400000) == 0);
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, namespace_of(first.pid(), "user")));
  CHECK(contains(outcome.out, "300000       1000"));
}

CASE("namespaces: several are joined, as containers of a pod do") {
  CITE(kPlaced);
  REQUIRES(root());
  Bundle first_bundle;
  Container first(first_bundle);
  REQUIRE(first.create().ok());
  Bundle bundle;
  bundle.erase("/hostname").guest({"ns"});
  for (const Type& type : {Type{"network", "net"}, Type{"ipc", "ipc"}, Type{"uts", "uts"}})
    bundle.set_namespace(type.name, path_of(first, type.file));
  const Outcome outcome = run(bundle);
  for (const std::string file : {"net", "ipc", "uts"}) {
    CAPTURE(file);
    CHECK(contains(outcome.out, namespace_of(first.pid(), file)));
  }
  CHECK_FALSE(contains(outcome.out, namespace_of(first.pid(), "mnt")));
}

CASE("namespaces: a path may be a bind mount of a namespace, and its namespace outlives all") {
  CITE("config-linux.md#namespaces: path (string, OPTIONAL) - namespace file.");
  REQUIRES(root());
  const ScratchDirectory place("netns");
  const std::string held = (place.path() / "held").string();
  write_file(held, "");
  std::string wanted;
  {
    Bundle first_bundle;
    Container first(first_bundle);
    REQUIRE(first.create().ok());
    wanted = namespace_of(first.pid(), "net");
    REQUIRE(mount(path_of(first, "net").c_str(), held.c_str(), nullptr, MS_BIND, nullptr) == 0);
  }
  Bundle bundle;
  bundle.set_namespace("network", held).guest({"ns"});
  CHECK(contains(run(bundle).out, wanted));
  CHECK(contains(run(bundle).out, wanted));
  CHECK(umount2(held.c_str(), MNT_DETACH) == 0);
}

CASE("namespaces: a path of another type is an error, for each type") {
  CITE(
      "config-linux.md#namespaces: The runtime MUST generate an error if path is not associated "
      "with a namespace of type type.");
  REQUIRES(root());
  for (const Type& type : kTypes) {
    CAPTURE(type.name);
    const std::string other = std::string(type.file) == "net" ? "ipc" : "net";
    Bundle bundle;
    bundle.erase("/hostname").set_namespace(type.name, "/proc/self/ns/" + other);
    CHECK_FALSE(create(bundle).ok());
  }
}

CASE("namespaces: a relative path is an error, for each type") {
  CITE(
      "config-linux.md#namespaces: This value MUST be an absolute path in the runtime mount "
      "namespace.");
  REQUIRES(root());
  for (const Type& type : kTypes) {
    CAPTURE(type.name);
    Bundle bundle;
    bundle.erase("/hostname").set_namespace(type.name, std::string("proc/self/ns/") + type.file);
    CHECK_FALSE(create(bundle).ok());
  }
}

CASE("namespaces: a path that is no namespace is an error") {
  CITE(
      "config-linux.md#namespaces: The runtime MUST generate an error if path is not associated "
      "with a namespace of type type.");
  REQUIRES(root());
  const ScratchDirectory place("paths");
  write_file(place.path() / "file", "");
  for (const std::string& path :
       {(place.path() / "missing").string(), (place.path() / "file").string(),
        place.path().string(), std::string("/dev/null"), std::string("/proc/self/ns/missing")}) {
    CAPTURE(path);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_namespace("network", path)).ok());
  }
}

CASE("namespaces: duplicates are an error, for each type") {
  CITE(
      "config-linux.md#namespaces: If a namespaces field contains duplicated namespaces with same "
      "type, the runtime MUST generate an error.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 accepts them");
  for (const Type& type : kTypes) {
    CAPTURE(type.name);
    Bundle bundle;
    if (std::string(type.name) == "user") map_user(bundle);
    bundle.set_namespace(type.name);
    bundle.set_json("/linux/namespaces/-", R"({"type": ")" + std::string(type.name) + R"("})");
    CHECK_FALSE(create(bundle).ok());
  }
}

CASE("namespaces: a new one and one by path of the same type are duplicates") {
  CITE(
      "config-linux.md#namespaces: If a namespaces field contains duplicated namespaces with same "
      "type, the runtime MUST generate an error.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 accepts them");
  Bundle bundle;
  bundle.set_json("/linux/namespaces/-", R"({"type": "ipc", "path": "/proc/self/ns/ipc"})");
  CHECK_FALSE(create(bundle).ok());
}

CASE("namespaces: an unknown or missing type is an error") {
  CITE("config-linux.md#namespaces: type (string, REQUIRED) - namespace type.");
  REQUIRES(root());
  for (const std::string entry :
       {R"({"type": "net"})", R"({"type": ""})", R"({"type": "PID"})", R"({})",
        R"({"path": "/proc/self/ns/ipc"})", R"({"type": 1})", R"("ipc")"}) {
    CAPTURE(entry);
    Bundle bundle;
    bundle.drop_namespace("ipc").set_json("/linux/namespaces/-", entry);
    CHECK_FALSE(create(bundle).ok());
  }
}

CASE("user namespace mappings are those of the config, and the rootfs keeps its owner") {
  CITE(
      "config-linux.md#user-namespace-mappings: The runtime SHOULD NOT modify the ownership of "
      "referenced filesystems to realize the mapping.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  map_user(bundle);
  bundle.guest({"cat", "/proc/self/uid_map", "/proc/self/gid_map", "--", "stat", "/bin/guest"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, "300000       1000"));
  CHECK(contains(outcome.out, "400000       2000"));
  CHECK(contains(outcome.out, "/bin/guest file 0755 65534 65534"));
}

CASE("user namespace mappings: every field is required") {
  CITE(
      "config-linux.md#user-namespace-mappings: size (uint32, REQUIRED) - is the number of ids to "
      "be mapped.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("runc", "1.1.5 takes a missing field for 0");
  DEVIATES("crun", "1.8.1 takes a missing field for 0");
  for (const std::string entry :
       {R"({"hostID": 300000, "size": 1000})", R"({"containerID": 0, "size": 1000})",
        R"({"containerID": 0, "hostID": 300000})",
        R"({"containerID": 0, "hostID": 300000, "size": 0})",
        R"({"containerID": 0, "hostID": 4294967296, "size": 1})",
        R"({"containerID": -1, "hostID": 300000, "size": 1})"}) {
    CAPTURE(entry);
    Bundle bundle;
    map_user(bundle);
    CHECK_FALSE(create(bundle.set_json("/linux/uidMappings", "[" + entry + "]")).ok());
  }
}

TEST_SUITE_END();
