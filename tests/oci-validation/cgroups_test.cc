// SPDX-License-Identifier: Apache-2.0
// config-linux.md: where a container's cgroup is, whether it is fit for it, and who owns it.
#include "oci-validation/limited.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* kFit =
    "config-linux.md#control-groups: A runtime MAY, during a particular container operation, such "
    "as create, start, or exec, check if the container cgroup is fit for purpose, and MUST "
    "generate "
    "an error if such a check fails.";
constexpr const char* kOwnership =
    "config-linux.md#cgroup-ownership: Runtimes SHOULD change the cgroup ownership if and only if "
    "the cgroup filesystem is to be mounted read/write;";

std::string own_path(const std::string& name) {
  return "/" + tag() + "-" + name;
}

// The hierarchy in which cgroups are frozen.
fs::path freezer() {
  return cgroup_v2().met ? fs::path("/sys/fs/cgroup") : cgroup_directory(getpid(), "freezer");
}

// A cgroup of the test's own, with the files of a freezer; thawed and removed in the end.
class OwnCgroup {
 public:
  explicit OwnCgroup(const std::string& path) : directory_(freezer() / path.substr(1)) {
    fs::create_directories(directory_);
  }
  ~OwnCgroup() {
    if (!fs::exists(directory_)) return;  // it went with its container
    freeze(false);
    (void)eventually([&] { return rmdir(directory_.c_str()) == 0 || !fs::exists(directory_); });
  }
  OwnCgroup(const OwnCgroup&) = delete;
  OwnCgroup& operator=(const OwnCgroup&) = delete;
  const fs::path& path() const { return directory_; }
  void freeze(bool on) const {
    if (cgroup_v2().met) {
      write_file(directory_ / "cgroup.freeze", on ? "1" : "0");
    } else {
      write_file(directory_ / "freezer.state", on ? "FROZEN" : "THAWED");
    }
  }
  void add(pid_t pid) const { write_file(directory_ / "cgroup.procs", std::to_string(pid)); }

 private:
  fs::path directory_;
};

Outcome create_at(const std::string& path) {
  Bundle bundle;
  return create(bundle.set("/linux/cgroupsPath", path));
}

unsigned owner(const fs::path& path) {
  struct stat info = {};
  return stat(path.c_str(), &info) == 0 ? info.st_uid : ~0U;
}

// A container of user 1000, whose cgroup file system is mounted with these options.
class Delegated {
 public:
  explicit Delegated(const Strings& options, bool own_namespace = true,
                     const std::string& source = "cgroup") {
    bundle_.drop_mount("/sys/fs/cgroup")
        .add_mount("/sys/fs/cgroup", "cgroup", source, options)
        .set_json("/process/user", R"({"uid": 1000, "gid": 1000})");
    if (!own_namespace) bundle_.drop_namespace("cgroup");
    REQUIRE(container_.create().ok());
    pid_ = container_.pid();
  }
  fs::path directory() const { return cgroup_directory(pid_, "pids"); }

 private:
  Bundle bundle_;
  Container container_{bundle_};
  pid_t pid_ = 0;
};

}  // namespace

TEST_SUITE_BEGIN("cgroups");

CASE("cgroups: an absolute path is relative to the mount point of the hierarchy") {
  CITE(
      "config-linux.md#cgroups-path: In the case of an absolute path (starting with /), the "
      "runtime MUST take the path to be relative to the cgroups mount point.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path("absolute"));
  Container container(bundle);
  REQUIRE(container.create().ok());
  const fs::path own = cgroup_directory(container.pid(), "pids");
  CHECK(own == (cgroup_v2().met ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids") + own_path("absolute"));
}

CASE("cgroups: the path is the same for every controller") {
  CITE(
      "config-linux.md#cgroups-path: The Spec does not support per-controller paths for the "
      "reasons "
      "discussed in the cgroupv2 documentation.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path("everywhere"));
  Container container(bundle);
  REQUIRE(container.create().ok());
  for (const std::string controller : {"memory", "cpu", "cpuset", "pids"}) {
    CAPTURE(controller);
    if (!cgroup_controller(controller).met) continue;
    CHECK(cgroup_directory(container.pid(), controller).string().ends_with(own_path("everywhere")));
  }
}

CASE("cgroups: missing ones are made, with their parents") {
  CITE("config-linux.md#cgroups-path: The cgroups will be created if they don't exist.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path("deep") + "/one/two");
  {
    Container container(bundle);
    REQUIRE(container.create().ok());
    CHECK(cgroup_directory(container.pid(), "pids")
              .string()
              .ends_with(own_path("deep") + "/one/two"));
  }
  // Whether the parents go with the container is the runtime's choice.
  Strings left = tagged_cgroups();
  std::sort(left.rbegin(), left.rend());
  for (const std::string& parent : left) {
    CHECK_FALSE(parent.ends_with("/two"));
    rmdir(parent.c_str());
  }
}

CASE("cgroups: an empty one that exists is taken") {
  CITE(
      "config-linux.md#cgroups-path: It can be used to either control the cgroups hierarchy for "
      "containers or to run a new process in an existing container.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("pids"));
  const OwnCgroup existing(own_path("existing"));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path("existing"));
  Container container(bundle);
  REQUIRE(container.create().ok());
  const std::string processes = read_file(existing.path() / "cgroup.procs");
  CHECK(processes == std::to_string(container.pid()) + "\n");
}

CASE("cgroups: a relative path is a place that the runtime chooses") {
  CITE(
      "config-linux.md#cgroups-path: In the case of a relative path (not starting with /), the "
      "runtime MAY interpret the path relative to a runtime-determined location in the cgroups "
      "hierarchy.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", tag() + "-relative");
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(cgroup_directory(container.pid(), "pids").filename() == tag() + "-relative");
}

CASE("cgroups: the same path is the same place every time") {
  CITE(
      "config-linux.md#cgroups-path: If the value is specified, the runtime MUST consistently "
      "attach to the same place in the cgroups hierarchy given the same value of cgroupsPath.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("pids"));
  for (const std::string& path : {own_path("same"), tag() + "-relative"}) {
    CAPTURE(path);
    Bundle bundle;
    bundle.set("/linux/cgroupsPath", path);
    fs::path seen[2];
    for (auto& place : seen) {
      Container container(bundle);
      REQUIRE(container.create().ok());
      place = cgroup_directory(container.pid(), "pids");
      CHECK(container.remove(true).ok());
    }
    CHECK(seen[0] == seen[1]);
  }
}

CASE("cgroups: without a path each container has one of its own") {
  CITE(
      "config-linux.md#cgroups-path: If the value is not specified, the runtime MAY define the "
      "default cgroups path.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  REQUIRE(second.create().ok());
  const fs::path one = cgroup_directory(first.pid(), "pids"),
                 other = cgroup_directory(second.pid(), "pids");
  CHECK(one != other);
  CHECK(one != cgroup_directory(getpid(), "pids"));
}

CASE("cgroups: a path that is no string is an error") {
  CITE(
      "config-linux.md#cgroups-path: The value of cgroupsPath MUST be either an absolute path or a "
      "relative path.");
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 ignores it");
  for (const std::string value : {"1", "true", "[\"/a\"]", "{}"}) {
    CAPTURE(value);
    Bundle bundle;
    CHECK_FALSE(create(bundle.set_json("/linux/cgroupsPath", value)).ok());
  }
}

CASE("cgroups: the root of the hierarchy is an error") {
  CITE(
      "config-linux.md#cgroups-path: Runtimes MAY consider certain cgroupsPath values to be "
      "invalid, and MUST generate an error if this is the case.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  EXCLUDES("runc", "1.1.5 would set the limits of the whole host");
  EXCLUDES("crun", "1.8.1 would set the limits of the whole host");
  for (const std::string path : {"/", "//", "/.", "/../..", "."}) {
    CAPTURE(path);
    const Outcome outcome = create_at(path);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, "linux.cgroupsPath"));
  }
}

CASE("cgroups: one with a process in it is an error, and the process stays as it is") {
  CITE(kFit);
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("freezer"));
  DEVIATES("runc", "1.1.5 only warns");
  DEVIATES("crun", "1.8.1 does not look");
  Process sleeper({"/bin/sleep", "1000"});
  const OwnCgroup existing(own_path("busy"));
  existing.add(sleeper.pid());
  CHECK_FALSE(create_at(own_path("busy")).ok());
  CHECK(contains(read_file(existing.path() / "cgroup.procs"), std::to_string(sleeper.pid())));
  CHECK(kill(sleeper.pid(), 0) == 0);
  sleeper.kill(SIGKILL);
  (void)sleeper.wait();
}

CASE("cgroups: one with a process in a cgroup below it is an error") {
  CITE(kFit);
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("freezer"));
  DEVIATES("runc", "1.1.5 only warns");
  DEVIATES("crun", "1.8.1 does not look");
  Process sleeper({"/bin/sleep", "1000"});
  const OwnCgroup existing(own_path("parent")), inner(own_path("parent") + "/inner");
  inner.add(sleeper.pid());
  CHECK_FALSE(create_at(own_path("parent")).ok());
  sleeper.kill(SIGKILL);
  (void)sleeper.wait();
}

CASE("cgroups: that of another container is an error, and the container stays as it is") {
  CITE(kFit);
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("pids"));
  DEVIATES("runc", "1.1.5 only warns");
  DEVIATES("crun", "1.8.1 does not look");
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path("shared")).guest({"echo", "well"});
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  CHECK_FALSE(second.create().ok());
  CHECK(first.status() == "created");
  const pid_t pid = first.pid();
  CHECK(first.start().ok());
  CHECK(first.wait_exit(pid) == 0);
  CHECK(first.output() == "well\n");
}

CASE("cgroups: a frozen one is an error") {
  CITE(kFit);
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("freezer"));
  EXCLUDES("crun", "1.8.1 waits for ever");
  const OwnCgroup existing(own_path("frozen"));
  existing.freeze(true);
  CHECK_FALSE(create_at(own_path("frozen")).ok());
}

CASE("cgroups: one below a frozen one is an error") {
  CITE(kFit);
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_controller("freezer"));
  EXCLUDES("crun", "1.8.1 waits for ever");
  EXCLUDES("runc", "1.1.5 waits for ever");
  const OwnCgroup existing(own_path("frozen"));
  existing.freeze(true);
  CHECK_FALSE(create_at(own_path("frozen") + "/inner").ok());
  CHECK_FALSE(create_at(own_path("frozen") + "/further/inner").ok());
}

CASE("cgroups: no resources, no limits") {
  CITE("config-linux.md#cgroups-path: Do not specify resources unless limits have to be updated.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  REQUIRES(cgroup_controller("memory"));
  Bundle bundle;
  bundle.erase("/linux/resources");
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  // systemd has a default of its own for every unit (DefaultTasksMax).
  if (cgroups_by_path().met) CHECK(cgroup_value(pid, "pids", "pids.max", "pids.max") == "max");
  const std::string memory = cgroup_value(pid, "memory", "memory.limit_in_bytes", "memory.max");
  CHECK((memory == "max" || memory == "9223372036854771712"));
}

CASE("cgroups: with resources the limits of each controller are set") {
  CITE(
      "config-linux.md#cgroups-path: You can configure a container's cgroups via the resources "
      "field of the Linux configuration.");
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 104857600}, "pids": {"limit": 50},
                            "cpu": {"quota": 20000, "period": 100000}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.limit_in_bytes", "memory.max") == "104857600");
  CHECK(limited.value("pids", "pids.max", "pids.max") == "50");
  CHECK(contains(limited.value("cpu", "cpu.cfs_quota_us", "cpu.max"), "20000"));
}

CASE("cgroup ownership: unchanged with cgroups v1") {
  CITE(
      "config-linux.md#cgroup-ownership: Runtimes SHOULD NOT change the ownership of container "
      "cgroups when cgroups v1 is in use.");
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(cgroup_v1());
  Bundle bundle;
  bundle.drop_mount("/sys/fs/cgroup")
      .add_mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev"})
      .set("/linux/cgroupsPath", own_path("owner"))
      .set_json("/process/user", R"({"uid": 1000, "gid": 1000})");
  Container container(bundle);
  REQUIRE(container.create().ok());
  size_t seen = 0;
  for (const std::string& directory : tagged_cgroups()) {
    CAPTURE(directory);
    CHECK(owner(directory) == 0);
    CHECK(owner(fs::path(directory) / "cgroup.procs") == 0);
    seen++;
  }
  CHECK(seen != 0);
}

CASE("cgroup ownership: the container's user has a cgroup that is mounted writable") {
  CITE(kOwnership);
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  const Delegated delegated({"nosuid", "noexec", "nodev"});
  CHECK(owner(delegated.directory()) == 1000);
  CHECK(owner(delegated.directory() / "cgroup.procs") == 1000);
  CHECK(owner(delegated.directory() / "cgroup.subtree_control") == 1000);
  CHECK(owner(delegated.directory() / "cgroup.threads") == 1000);
}

CASE("cgroup ownership: no other files are handed over") {
  CITE(
      "config-linux.md#cgroup-ownership: The runtime SHOULD NOT change the ownership of any other "
      "files.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  const Delegated delegated({"nosuid", "noexec", "nodev"});
  const Strings listed = lines(read_file("/sys/kernel/cgroup/delegate"));
  for (const auto& entry : fs::directory_iterator(delegated.directory())) {
    CAPTURE(entry.path());
    const bool expected =
        std::find(listed.begin(), listed.end(), entry.path().filename()) != listed.end();
    CHECK((owner(entry.path()) == 1000) == expected);
  }
}

CASE("cgroup ownership: the host's list may be missing") {
  CITE(
      "config-linux.md#cgroup-ownership: If the /sys/kernel/cgroup/delegate file does not exist, "
      "the "
      "runtime MUST fall back to using the following list of files:");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  // In the mount namespace of this test.
  REQUIRE(mount("tmpfs", "/sys/kernel/cgroup", "tmpfs", 0, nullptr) == 0);
  {
    const Delegated delegated({"nosuid", "noexec", "nodev"});
    for (const std::string name :
         {"", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"}) {
      CAPTURE(name);
      CHECK(owner(delegated.directory() / name) == 1000);
    }
    CHECK(owner(delegated.directory() / "memory.max") == 0);
  }
  CHECK(umount2("/sys/kernel/cgroup", MNT_DETACH) == 0);
}

CASE("cgroup ownership: unchanged where the cgroup is mounted read-only") {
  CITE(
      "config-linux.md#cgroup-ownership: If the configuration does not specify such a mount, the "
      "runtime SHOULD NOT change the cgroup ownership.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  DEVIATES("crun", "1.8.1 changes it");
  const Delegated delegated({"nosuid", "noexec", "nodev", "ro"});
  CHECK(owner(delegated.directory()) == 0);
}

CASE("cgroup ownership: unchanged without a cgroup namespace") {
  CITE(
      "config-linux.md#cgroup-ownership: A runtime SHOULD NOT change the ownership of a container "
      "cgroup unless it will also create a new cgroup namespace for the container.");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  DEVIATES("crun", "1.8.1 changes it");
  const Delegated delegated({"nosuid", "noexec", "nodev"}, false);
  CHECK(owner(delegated.directory()) == 0);
}

CASE("cgroup ownership: unchanged for a mount with another source") {
  CITE("config-linux.md#cgroup-ownership: The source field is equal to \"cgroup\"");
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  DEVIATES("crun", "1.8.1 changes it");
  const Delegated delegated({"nosuid", "noexec", "nodev"}, true, "other");
  CHECK(owner(delegated.directory()) == 0);
}

TEST_SUITE_END();
