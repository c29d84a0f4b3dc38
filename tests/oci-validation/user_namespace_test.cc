// SPDX-License-Identifier: Apache-2.0
// User namespaces and their mappings, the user of the process, and the descriptors that it gets.
#include "support/user_namespace.h"

#include "support/suite.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;

namespace fs = std::filesystem;

namespace {

constexpr unsigned kUids = 300000, kGids = 350000, kSize = 2000;

constexpr const char* kMappings =
    "config-linux.md#user-namespace-mappings: uidMappings (array of objects, OPTIONAL) describes "
    "the user namespace uid mappings from the host to the container.";
constexpr const char* kGroupMappings =
    "config-linux.md#user-namespace-mappings: gidMappings (array of objects, OPTIONAL) describes "
    "the user namespace gid mappings from the host to the container.";
constexpr const char* kContainerId =
    "config-linux.md#user-namespace-mappings: containerID (uint32, REQUIRED) - is the starting "
    "uid/gid in the container.";
constexpr const char* kHostId =
    "config-linux.md#user-namespace-mappings: hostID (uint32, REQUIRED) - is the starting uid/gid "
    "on the host to be mapped to containerID.";
constexpr const char* kSizeOfIds =
    "config-linux.md#user-namespace-mappings: size (uint32, REQUIRED) - is the number of ids to be "
    "mapped.";
constexpr const char* kUser =
    "config-linux.md#namespaces: user the container will have the ability to remap user and group "
    "IDs from the host to local users and groups within the container.";
constexpr const char* kPath =
    "config-linux.md#namespaces: The runtime MUST place the container process in the namespace "
    "associated with that path.";

Bundle& mapped(Bundle& bundle) {
  CHECK(chown(bundle.rootfs().c_str(), kUids, kGids) == 0);
  return bundle.set_namespace("user")
      .set_json("/linux/uidMappings", mapping(0, kUids, kSize))
      .set_json("/linux/gidMappings", mapping(0, kGids, kSize));
}

// The three numbers of each line of a map, one blank between.
Strings map_lines(std::string_view text) {
  Strings result;
  for (const std::string& line : lines(text)) {
    std::string numbers;
    for (const char c : line) {
      if (c == ' ' && (numbers.empty() || numbers.back() == ' ')) continue;
      numbers += c;
    }
    result.push_back(numbers);
  }
  return result;
}

}  // namespace

TEST_SUITE_BEGIN("user_namespace");

CASE("uidMappings are the uid map of the container") {
  CITE(kMappings);
  CITE(kUser);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).guest({"cat", "/proc/self/uid_map"});
  CHECK(map_lines(run(bundle).out) == Strings{"0 300000 2000"});
}

CASE("gidMappings are the gid map of the container") {
  CITE(kGroupMappings);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).guest({"cat", "/proc/self/gid_map"});
  CHECK(map_lines(run(bundle).out) == Strings{"0 350000 2000"});
}

CASE("several mappings are several lines") {
  CITE(kMappings);
  CITE(kContainerId);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).guest({"cat", "/proc/self/uid_map"});
  bundle.set_json("/linux/uidMappings",
                  R"([{"containerID": 0, "hostID": 300000, "size": 10},
                      {"containerID": 5000, "hostID": 310000, "size": 7},
                      {"containerID": 65534, "hostID": 320000, "size": 1}])");
  CHECK(map_lines(run(bundle).out) == Strings{"0 300000 10", "5000 310000 7", "65534 320000 1"});
}

CASE("one hundred mappings are accepted") {
  CITE(kMappings);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  std::string list;
  for (int i = 0; i < 100; i++) {
    list += (i == 0 ? "" : ",") + std::string(R"({"containerID":)") + std::to_string(2 * i) +
            R"(,"hostID":)" + std::to_string(300000 + 3 * i) + R"(,"size":1})";
  }
  Bundle bundle;
  mapped(bundle).set_json("/linux/uidMappings", "[" + list + "]");
  bundle.guest({"cat", "/proc/self/uid_map"});
  CHECK(map_lines(run(bundle).out).size() == 100);
}

CASE("hostID is what the host sees") {
  CITE(kHostId);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/process/user", R"({"uid": 7, "gid": 9})").guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  REQUIRE(container.start().ok());
  const auto status = [&] {
    return read_file("/proc/" + std::to_string(container.pid()) + "/status");
  };
  CHECK(eventually([&] { return contains(status(), "Uid:\t300007\t300007"); }));
  CHECK(contains(status(), "Gid:\t350009\t350009"));
}

CASE("the last id of a mapping is mapped") {
  CITE(kSizeOfIds);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/process/user", R"({"uid": 1999, "gid": 1999})").guest({"id"});
  CHECK(value_of(run(bundle).out, "uid") == "1999 1999 1999");
}

CASE("the id after the last one is an error") {
  CITE(kSizeOfIds);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  for (const char* field : {"/process/user/uid", "/process/user/gid"}) {
    CAPTURE(std::string(field));
    Bundle bundle;
    mapped(bundle).set(field, kSize).guest({"id"});
    const Outcome outcome = run(bundle);
    CHECK(outcome.status != 0);
    CHECK(outcome.out == "");
  }
}

CASE("the user of the process is one of the container's") {
  CITE(
      "config.md#posix-platform-user: uid (int, REQUIRED) specifies the user ID in the container "
      "namespace.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/process/user", R"({"uid": 5, "gid": 6})").guest({"id"});
  CHECK(value_of(run(bundle).out, "uid") == "5 5 5");
}

CASE("the group of the process is one of the container's") {
  CITE(
      "config.md#posix-platform-user: gid (int, REQUIRED) specifies the group ID in the container "
      "namespace.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/process/user", R"({"uid": 5, "gid": 6})").guest({"id"});
  CHECK(value_of(run(bundle).out, "gid") == "6 6 6");
}

CASE("additional groups are the container's, and no others") {
  CITE(
      "config.md#posix-platform-user: additionalGids (array of ints, OPTIONAL) specifies "
      "additional group IDs in the container namespace to be added to the process.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/process/user/additionalGids", "[30, 20, 10]").guest({"id"});
  CHECK(value_of(run(bundle).out, "groups") == "10 20 30");
}

CASE("the umask of the user is set in a user namespace, too") {
  CITE("config.md#posix-platform-user: umask (int, OPTIONAL) specifies the umask of the user.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set("/process/user/umask", 0137).guest({"id"});
  CHECK(value_of(run(bundle).out, "umask") == "0137");
}

CASE("an existing user namespace is joined with its maps") {
  CITE(kPath);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("runc", "1.1.5 wants maps beside the path");
  const UserNamespace target("0 300000 2000\n", "0 350000 2000\n");
  Bundle bundle;
  mapped(bundle).set_namespace("user", target.path());
  bundle.erase("/linux/uidMappings").erase("/linux/gidMappings");
  bundle.guest({"ns", "--", "id"});
  const Outcome outcome = run(bundle);
  CHECK(contains(outcome.out, fs::read_symlink(target.path()).string()));
  CHECK(value_of(outcome.out, "uid") == "0 0 0");
}

CASE("mappings without a user namespace are an error") {
  CITE(kMappings);
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 ignores them");
  DEVIATES("crun", "1.8.1 ignores them");
  Bundle bundle;
  bundle.set_json("/linux/uidMappings", mapping(0, kUids, kSize))
      .set_json("/linux/gidMappings", mapping(0, kGids, kSize));
  CHECK_FALSE(create(bundle).ok());
}

CASE("mappings that overlap are an error that leaves nothing") {
  CITE(
      "runtime.md#errors: In cases where the specified operation generates an error, this "
      "specification does not mandate how, or even if, that error is returned or exposed to the "
      "user of an implementation.");
  CITE(
      "runtime.md#errors: Unless otherwise stated, generating an error MUST leave the state of the "
      "environment as if the operation were never attempted - modulo any possible trivial "
      "ancillary "
      "changes such as logging.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/linux/uidMappings",
                          R"([{"containerID": 0, "hostID": 300000, "size": 10},
                              {"containerID": 5, "hostID": 310000, "size": 10}])");
  Container container(bundle);
  CHECK_FALSE(container.create().ok());
  CHECK(container.status() == "");
}

CASE("the rootfs keeps its owner where it is not mapped") {
  CITE(
      "config-linux.md#user-namespace-mappings: The runtime SHOULD NOT modify the ownership of "
      "referenced filesystems to realize the mapping.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  const fs::path file = bundle.rootfs() / "of-root";
  write_file(file, "x");
  mapped(bundle).guest({"stat", "/of-root"});
  REQUIRE(run(bundle).ok());
  struct stat info = {};
  CHECK(stat(file.c_str(), &info) == 0);
  CHECK(info.st_uid == 0);
  CHECK(info.st_gid == 0);
}

CASE("capabilities in a user namespace are over what it owns") {
  CITE(kUser);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  for (const char* set : {"bounding", "effective", "permitted"})
    bundle.set("/process/capabilities/" + std::string(set), Strings{"CAP_SYS_ADMIN"});
  mapped(bundle).guest({"set-hostname", "mine", "--", "hostname"});
  CHECK(contains(run(bundle).out, "hostname mine"));
}

CASE("namespaces that are made with a user namespace belong to it") {
  CITE(kUser);
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).set_json("/linux/sysctl", R"({"net.ipv4.ip_forward": "1"})");
  bundle.guest({"cat", "/proc/sys/net/ipv4/ip_forward"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(outcome.out == "1\n");
}

CASE("default devices are there in a user namespace") {
  CITE(
      "config-linux.md#default-devices: In addition to any devices configured with this setting, "
      "the runtime MUST also supply:");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  Strings words;
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    if (!words.empty()) words.emplace_back("--");
    words.emplace_back("stat");
    words.push_back(std::string("/dev/") + name);
  }
  mapped(bundle).guest(words);
  const Outcome outcome = run(bundle);
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"})
    CHECK(contains(outcome.out, "/dev/" + std::string(name) + " char"));
}

CASE("masked and read-only paths hold in a user namespace") {
  CITE(
      "config-linux.md#masked-paths: maskedPaths (array of strings, OPTIONAL) will mask over the "
      "provided paths inside the container so that they cannot be read.");
  CITE(
      "config-linux.md#readonly-paths: readonlyPaths (array of strings, OPTIONAL) will set the "
      "provided paths as readonly inside the container.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).guest({"cat", "/proc/timer_list", "--", "mounts"});
  const Outcome outcome = run(bundle);
  CHECK_FALSE(contains(outcome.out, "jiffies"));
  CHECK(contains(outcome.out, " /proc/sys ro,"));
}

CASE("hooks of the runtime's side are outside of the user namespace, the container's inside") {
  CITE(
      "config.md#createruntime-hooks: The createRuntime hooks MUST be executed in the runtime "
      "namespace.");
  CITE(
      "config.md#startcontainer-hooks: The startContainer hooks MUST be executed in the container "
      "namespace.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  const ScratchDirectory trace("trace");
  const std::string outside = (trace.path() / "outside").string();
  const fs::path inside = bundle.rootfs() / "inside";
  write_file(inside, "");
  CHECK(chown(inside.c_str(), kUids, kGids) == 0);
  fs::copy_file("/bin/busybox", bundle.rootfs() / "bin/busybox");
  const auto report = [](const std::string& shell, const std::string& to) {
    return R"({"path": ")" + shell +
           R"(", "args": ["sh", "-c", "read a b c </proc/self/uid_map; )" + "echo $b >" + to +
           R"("]})";
  };
  mapped(bundle).writable_root().set_json(
      "/hooks", R"({"createRuntime": [)" + report("/bin/sh", outside) +
                    R"(], "startContainer": [)" + report("/bin/busybox", "/inside") + "]}");
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(read_file(outside) == "0\n");
  CHECK(read_file(inside) == "300000\n");
}

CASE("state, kill and delete work on a container in a user namespace") {
  CITE("runtime.md#kill: This operation MUST send the specified signal to the container process.");
  CITE(
      "runtime.md#delete: Deleting a container MUST delete the resources that were created during "
      "the create step.");
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Bundle bundle;
  mapped(bundle).guest({"pause"});
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(container.status() == "created");
  REQUIRE(container.start().ok());
  CHECK(container.kill("KILL").ok());
  CHECK(container.wait_status("stopped"));
  CHECK(container.remove().ok());
  CHECK(container.status() == "");
}

TEST_SUITE_END();
