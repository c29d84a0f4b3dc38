// SPDX-License-Identifier: Apache-2.0
// Control groups: where the container is, which limits the kernel files show, and that the limits
// bite. Every value is asked for by its v1 and its v2 name, so that the cases run on both layouts.
#include "support/suite.h"

#include <unistd.h>

#include <csignal>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

std::string own_path() {
  return "/" + tag() + "-path";
}

void freeze(const fs::path& cgroup) {
  const bool v2 = cgroup_v2().met;
  write_file(cgroup / (v2 ? "cgroup.freeze" : "freezer.state"), v2 ? "1" : "FROZEN");
}

// An empty cgroup that is frozen, in the hierarchy that can.
class Frozen {
 public:
  explicit Frozen(const std::string& path) {
    const bool v2 = cgroup_v2().met;
    directory_ = (v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/freezer") + path;
    std::error_code error;
    if (!fs::create_directory(directory_, error)) return;
    made_ = true;
    freeze(directory_);
  }
  ~Frozen() {
    if (made_) rmdir(directory_.c_str());
  }
  Frozen(const Frozen&) = delete;
  Frozen& operator=(const Frozen&) = delete;
  bool made() const { return made_; }

 private:
  fs::path directory_;
  bool made_ = false;
};

// A created container with these resources.
struct Limited {
  explicit Limited(std::string_view resources) {
    bundle.set_json("/linux/resources", resources);
    outcome = container.create();
    pid = outcome.ok() ? container.pid() : 0;
  }
  std::string value(std::string_view controller, std::string_view v1, std::string_view v2) const {
    return cgroup_value(pid, controller, v1, v2);
  }
  Bundle bundle;
  Container container{bundle};
  Outcome outcome;
  pid_t pid = 0;
};

}  // namespace

TEST_SUITE_BEGIN("cgroup");

CASE("cgroupsPath is the place of the container in every hierarchy, and is gone afterwards") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path() + "/inner");
  Container container(bundle);
  REQUIRE(container.create().ok());
  const pid_t pid = container.pid();
  for (const std::string controller : {"pids", "memory", "cpu"}) {
    CAPTURE(controller);
    CHECK(cgroup_directory(pid, controller).string().ends_with(own_path() + "/inner"));
  }
  CHECK(container.remove(true).ok());
  for (const std::string& left : tagged_cgroups()) {
    CHECK_FALSE(left.ends_with("/inner"));
    rmdir(left.c_str());  // whether the parent that was made on the way is removed is the runtime's
                          // choice
  }
}

CASE("a cgroupsPath with .. stays below the hierarchy or is refused") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("pids"));
  const std::string name = tag() + "-up";
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", "/../../" + name);
  Container container(bundle);
  if (!container.create().ok()) return;
  CHECK(cgroup_directory(container.pid(), "pids").filename() == name);
  CHECK(std::filesystem::exists(cgroup_directory(container.pid(), "pids") / "cgroup.procs"));
}

CASE("a pids limit of 0 lets one process run (checklist 26)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 takes 0 for unset");
  DEVIATES("crun", "takes 0 for unset");
  REQUIRES(cgroup_controller("pids"));
  const Limited limited(R"({"pids": {"limit": 0}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("pids", "pids.max", "pids.max") == "1");
}

CASE("a pids limit of -1 is no limit") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 writes -1 to the file");
  REQUIRES(cgroup_controller("pids"));
  const Limited limited(R"({"pids": {"limit": -1}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("pids", "pids.max", "pids.max") == "max");
}

CASE("memory limits are written") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 67108864, "reservation": 33554432}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.limit_in_bytes", "memory.max") == "67108864");
  CHECK(limited.value("memory", "memory.soft_limit_in_bytes", "memory.low") == "33554432");
}

CASE("a swap limit counts memory too (checklist 25)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 writes a limit of 0");
  REQUIRES(cgroup_controller("memory"));
  const bool v2 = cgroup_v2().met;
  REQUIRES(file(v2 ? "/proc/swaps" : "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"));
  const Limited limited(R"({"memory": {"limit": 67108864, "swap": 100663296}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") ==
        (v2 ? "33554432" : "100663296"));
  const Limited unlimited(R"({"memory": {"limit": -1, "swap": -1}})");
  REQUIRE(unlimited.outcome.ok());
  const std::string greatest =
      unlimited.value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max");
  CHECK((greatest == "max" || greatest.size() > 18));
  const Limited unset(R"({"memory": {"limit": 0, "swap": 0}})");
  REQUIRE(unset.outcome.ok());
  CHECK(unset.value("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") == greatest);
}

CASE("memory limits between two pages are taken, and rounded by the kernel (checklist 36)") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const long page = sysconf(_SC_PAGESIZE);
  const long pages = 1024;
  const std::string limit = std::to_string(pages * page + page / 2 + 1);
  Bundle bundle;
  bundle.set_json("/linux/resources/memory",
                  R"({"limit": )" + limit + R"(, "reservation": )" + limit + "}");
  Container container(bundle);
  const Outcome created = container.create();
  REQUIRE_MESSAGE(created.ok(), created.err);
  const std::string rounded = std::to_string(pages * page);
  CHECK(cgroup_value(container.pid(), "memory", "memory.limit_in_bytes", "memory.max") == rounded);
  CHECK(cgroup_value(container.pid(), "memory", "memory.soft_limit_in_bytes", "memory.low") ==
        rounded);
}

CASE("cpu shares, quota and period are written") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("cpu"));
  const Limited limited(R"({"cpu": {"shares": 2048, "quota": 50000, "period": 200000}})");
  REQUIRE(limited.outcome.ok());
  if (cgroup_v2().met) {
    CHECK(limited.value("cpu", "", "cpu.max") == "50000 200000");
    if (is_onggi()) CHECK(limited.value("cpu", "", "cpu.weight") == "174");
  } else {
    CHECK(limited.value("cpu", "cpu.shares", "") == "2048");
    CHECK(limited.value("cpu", "cpu.cfs_quota_us", "") == "50000");
    CHECK(limited.value("cpu", "cpu.cfs_period_us", "") == "200000");
  }
}

CASE("a CPU that the host does not have is an error that names the field") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the cgroups of a failed create behind");
  REQUIRES(cgroup_controller("cpuset"));
  const Limited limited(R"({"cpu": {"cpus": "4000"}})");
  CHECK(limited.outcome.status == 1);
  if (is_onggi()) CHECK(contains(limited.outcome.err, "linux.resources.cpu.cpus"));
}

CASE(
    "a memory limit below what a process needs is a clear error or a killed container, and leaves "
    "nothing") {
  REQUIRES(root());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 4096}})");
  CHECK_FALSE(limited.outcome.ok());
  if (is_onggi()) CHECK(contains(limited.outcome.err, "memory"));
}

CASE("a memory limit that ends init is told with the limit and the use") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 20480}})");
  CHECK(limited.outcome.status == 1);
  CHECK(contains(limited.outcome.err, "out of memory: linux.resources.memory.limit is "));
  CHECK(contains(limited.outcome.err, " bytes"));
}

CASE("read-only cgroups are named as the cause, with what can be done") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  constexpr const char* kScript =
      "export PATH=/usr/sbin:/usr/bin:/sbin:/bin; for each in /sys/fs/cgroup /sys/fs/cgroup/*; do"
      "  mountpoint -q $each && mount -o remount,bind,ro $each; done; exec \"$@\"";
  const auto created = [](Bundle& bundle) {
    bundle.guest({"pause"}).write();
    Strings command = {"/usr/bin/unshare", "-m", "/bin/sh", "-c", kScript, "sh"};
    for (const std::string& word : Container(bundle).create_command()) command.push_back(word);
    return run_program(command);
  };
  Bundle plain;
  const Outcome without_limits = created(plain);
  CHECK(without_limits.status == 1);
  CHECK(contains(without_limits.err, "linux.cgroupsPath: mkdir"));
  CHECK(contains(without_limits.err, "mount them writable, or use --cgroup-manager disabled"));
  Bundle limited;
  limited.set_json("/linux/resources", R"({"pids": {"limit": 5}})");
  const Outcome with_limits = created(limited);
  CHECK(with_limits.status == 1);
  CHECK(contains(with_limits.err, "linux.resources.pids.limit: mkdir"));
  CHECK(contains(with_limits.err, "remove the limits"));
}

CASE("a swap limit below the memory limit is an error that names the field") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the cgroups of a failed create behind");
  REQUIRES(cgroup_controller("memory"));
  const Limited limited(R"({"memory": {"limit": 67108864, "swap": 33554432}})");
  CHECK(limited.outcome.status == 1);
  if (is_onggi()) CHECK(contains(limited.outcome.err, "linux.resources.memory.swap"));
}

CASE("unified settings are an error on cgroup v1") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the cgroups of a failed create behind");
  REQUIRES(cgroup_v1());
  const Limited limited(R"({"unified": {"pids.max": "5"}})");
  CHECK(limited.outcome.status == 1);
  if (is_onggi()) CHECK(contains(limited.outcome.err, "linux.resources.unified"));
}

// Its value is a process that is none of the container's: it must stay where it is.
CASE("unified settings that move or kill processes are refused, by create and update") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const Process bystander({"/bin/sleep", "1000"});
  const std::string number = std::to_string(bystander.pid());
  const auto place = [&] { return value_of(read_file("/proc/" + number + "/cgroup"), "0::"); };
  const std::string before = place();
  const Limited running("{}");
  for (const std::string file : {"cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze",
                                 "cgroup.type", "cgroup.subtree_control", "../cgroup.procs"}) {
    CAPTURE(file);
    const std::string resources = R"({"unified": {")" + file + R"(": ")" + number + R"("}})";
    const Limited limited(resources);
    CHECK(limited.outcome.status == 1);
    CHECK(contains(limited.outcome.err, "linux.resources.unified[\"" + file + "\"]"));
    const Outcome updated = running.container.update(resources);
    CHECK(updated.status == 1);
    CHECK(contains(updated.err, "unified[\"" + file + "\"]"));
  }
  CHECK(place() == before);
  bystander.kill(SIGKILL);
}

CASE("unified settings are written on cgroup v2") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  const Limited limited(R"({"unified": {"pids.max": "5", "memory.high": "1073741824"}})");
  REQUIRE(limited.outcome.ok());
  CHECK(limited.value("pids", "", "pids.max") == "5");
  CHECK(limited.value("memory", "", "memory.high") == "1073741824");
}

CASE("without a cgroup namespace the program sees its path on the host") {
  REQUIRES(root());
  Bundle bundle;
  bundle.drop_namespace("cgroup").set("/linux/cgroupsPath", own_path()).guest({"cgroup"});
  CHECK(contains(run(bundle).out, own_path() + "\n"));
}

CASE("with a cgroup namespace the program sees itself at the root") {
  REQUIRES(root());
  Bundle bundle;
  const Outcome outcome = run(bundle.guest({"cgroup"}));
  CHECK(contains(outcome.out, ":/\n"));
  CHECK_FALSE(contains(outcome.out, tag()));
}

CASE("create refuses a cgroup with processes in it (checklist 32)") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 does not look");
  DEVIATES("runc", "1.1.5 only warns");
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path());
  Container first(bundle), second(bundle);
  REQUIRE(first.create().ok());
  const Outcome refused = second.create();
  CHECK(refused.status == 1);
  if (is_onggi()) CHECK(contains(refused.err, "linux.cgroupsPath"));
  CHECK(first.status() == "created");
}

CASE("create refuses a frozen cgroup (checklist 32)") {
  REQUIRES(root());
  EXCLUDES("runc", "waits for the thaw");
  EXCLUDES("crun", "1.8.1 hangs in it");
  Frozen frozen(own_path());
  REQUIRES((Need{frozen.made(), "needs a freezer"}));
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path());
  const Outcome refused = create(bundle);
  CHECK(refused.status == 1);
  CHECK(contains(refused.err, "frozen"));
  if (is_onggi()) CHECK(contains(refused.err, "linux.cgroupsPath"));
}

CASE("controllers are enabled from the root down to the container's parent on v2 (checklist 23)") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  Bundle bundle;
  bundle.set("/linux/cgroupsPath", own_path() + "/a/b");
  bundle.set("/linux/resources/pids/limit", 7);
  Container container(bundle);
  REQUIRE(container.create().ok());
  CHECK(cgroup_value(container.pid(), "pids", "", "pids.max") == "7");
  const fs::path top = "/sys/fs/cgroup" + own_path();
  CHECK(contains(read_file(top / "cgroup.subtree_control"), "pids"));
  CHECK(contains(read_file(top / "a/cgroup.subtree_control"), "pids"));
  // The container's own: with controllers for children it could hold no processes.
  // Nothing: as an empty line or as an empty file, by the version of the kernel.
  CHECK(read_file(top / "a/b/cgroup.subtree_control").find_first_not_of('\n') == std::string::npos);
}

TEST_SUITE_END();
