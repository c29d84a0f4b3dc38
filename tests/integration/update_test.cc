// SPDX-License-Identifier: Apache-2.0
// update and events: new limits for a container that exists, and what it has used.
#include "support/suite.h"

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

struct Updated {
  Updated() {
    bundle.set_json(
        "/linux/resources",
        R"({"memory": {"limit": 134217728}, "cpu": {"shares": 1024}, "pids": {"limit": 100}})");
    bundle.guest({"pause"});
    REQUIRE(container.create().ok());
    pid = container.pid();
  }
  Outcome update(Strings options, const std::string& input = {}) const {
    Strings command = {"update"};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(container.id());
    Spawn spawn;
    spawn.input = input;
    return runtime(command, spawn);
  }
  std::string value(std::string_view controller, std::string_view v1, std::string_view v2) const {
    return cgroup_value(pid, controller, v1, v2);
  }
  std::string memory() const { return value("memory", "memory.limit_in_bytes", "memory.max"); }
  std::string pids() const { return value("pids", "pids.max", "pids.max"); }
  Bundle bundle;
  Container container{bundle};
  pid_t pid = 0;
};

Need limits() {
  return {cgroup_controller("memory").met && cgroup_controller("cpu").met &&
              cgroup_controller("pids").met && cgroup_controller("cpuset").met,
          "the cgroup controllers memory, cpu, cpuset and pids"};
}

}  // namespace

TEST_SUITE_BEGIN("update");

CASE("update changes limits by options") {
  REQUIRES(root());
  REQUIRES(limits());
  const Updated updated;
  CHECK(updated.update({"--memory", "67108864", "--pids-limit", "50", "--cpuset-cpus", "0"}).ok());
  CHECK(updated.memory() == "67108864");
  CHECK(updated.pids() == "50");
  CHECK(updated.value("cpuset", "cpuset.cpus", "cpuset.cpus") == "0");
}

CASE("update takes sizes with units") {
  REQUIRES(root());
  REQUIRES(limits());
  DEVIATES("crun", "1.8.1 takes bytes only");
  const Updated updated;
  CHECK(updated.update({"--memory", "64m"}).ok());
  CHECK(updated.memory() == "67108864");
}

CASE("update reads a document from standard input, as containerd calls it") {
  REQUIRES(root());
  REQUIRES(limits());
  const Updated updated;
  const std::string document = R"({"memory": {"limit": 67108864}, "pids": {"limit": 30}})";
  CHECK(updated.update({"--resources", "-"}, document).ok());
  CHECK(updated.memory() == "67108864");
  CHECK(updated.pids() == "30");
}

CASE("update reads a document from a file, as podman calls it") {
  REQUIRES(root());
  REQUIRES(limits());
  const Updated updated;
  const fs::path file = updated.bundle.path() / "limits.json";
  write_file(file, R"({"cpu": {"quota": 20000, "period": 50000}})");
  CHECK(updated.update({"-r", file.string()}).ok());
  if (cgroup_v2().met) {
    CHECK(updated.value("cpu", "", "cpu.max") == "20000 50000");
  } else {
    CHECK(updated.value("cpu", "cpu.cfs_quota_us", "") == "20000");
    CHECK(updated.value("cpu", "cpu.cfs_period_us", "") == "50000");
  }
}

CASE("update of the period keeps the quota, and of the quota the period") {
  REQUIRES(root());
  REQUIRES(limits());
  const Updated updated;
  REQUIRE(updated.update({"--cpu-quota", "20000", "--cpu-period", "50000"}).ok());
  CHECK(updated.update({"--cpu-period", "60000"}).ok());
  CHECK(updated.update({"--cpu-quota", "30000"}).ok());
  if (cgroup_v2().met) {
    CHECK(updated.value("cpu", "", "cpu.max") == "30000 60000");
  } else {
    CHECK(updated.value("cpu", "cpu.cfs_quota_us", "") == "30000");
    CHECK(updated.value("cpu", "cpu.cfs_period_us", "") == "60000");
  }
}

CASE("update changes all or nothing") {
  REQUIRES(root());
  REQUIRES(limits());
  DEVIATES("crun", "1.8.1 keeps what was written before the refusal");
  const Updated updated;
  const std::string cpus = updated.value("cpuset", "cpuset.cpus", "cpuset.cpus");
  const Outcome outcome = updated.update({"--memory", "67108864", "--pids-limit", "50",
                                          "--cpu-share", "512", "--cpuset-cpus", "4000"});
  CHECK_FALSE(outcome.ok());
  if (is_onggi()) CHECK(contains(outcome.err, "linux.resources.cpu.cpus"));
  CHECK(updated.memory() == "134217728");
  CHECK(updated.pids() == "100");
  CHECK(updated.value("cpuset", "cpuset.cpus", "cpuset.cpus") == cpus);
  if (!cgroup_v2().met) CHECK(updated.value("cpu", "cpu.shares", "") == "1024");
}

CASE("update of a stopped or unknown container is an error") {
  REQUIRES(root());
  REQUIRES(limits());
  EXCLUDES("crun", "1.8.1 updates what is left of the cgroup");
  const Updated updated;
  REQUIRE(updated.container.kill("KILL").ok());
  REQUIRE(updated.container.wait_status("stopped"));
  CHECK_FALSE(updated.update({"--pids-limit", "50"}).ok());
  CHECK_FALSE(runtime({"update", "--pids-limit", "50", "nobody"}).ok());
}

CASE("update works on a paused container") {
  REQUIRES(root());
  REQUIRES(limits());
  REQUIRES(cgroup_controller("freezer"));
  const Updated updated;
  REQUIRE(updated.container.start().ok());
  REQUIRE(updated.container.command("pause").ok());
  CHECK(updated.update({"--pids-limit", "50"}).ok());
  CHECK(updated.pids() == "50");
  CHECK(updated.container.command("resume").ok());
}

CASE("update names what is wrong in the document or the options") {
  REQUIRES(root());
  if (!is_onggi()) return;
  const Updated updated;
  const auto refusal = [&](Strings options, const std::string& input = {}) {
    const Outcome outcome = updated.update(options, input);
    CHECK(outcome.status == 1);
    return outcome.err;
  };
  CHECK(contains(refusal({"-r", "-"}, R"({"memory": {"limit": "64m"}})"), "memory.limit"));
  CHECK(contains(refusal({"-r", "-"}, R"({"cpu": )"), "--resources -:1:"));
  CHECK(contains(refusal({"-r", "-"}, R"({"linux": {"resources": {"pids": {"limit": 5}}}})"),
                 "--resources -: no limit in it"));
  CHECK(contains(refusal({"-r", "/nowhere"}), "/nowhere"));
  CHECK(contains(refusal({"--memory", "much"}), "--memory: 'much'"));
  CHECK(contains(refusal({"--cpu-share", "-5"}), "--cpu-share: '-5'"));
  CHECK(contains(refusal({}), "nothing to update"));
  CHECK(contains(refusal({"--memory", "64m", "--memory-swap", "32m"}),
                 "linux.resources.memory.swap"));
  CHECK(contains(refusal({"-r", "-", "--memory", "64m"}, "{}"), "--resources"));
}

CASE("a limit that the kernel refuses comes with what it would take") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  REQUIRES(cgroup_v1());
  Updated updated;
  const std::pair<Strings, const char*> cases[] = {
      {{"--cpu-quota", "500"}, "quota must be at least 1000 microseconds"},
      {{"--cpu-period", "5"}, "period 1000 to 1000000"},
      {{"--cpuset-cpus", "0-9999"}, "this host's are 0"},
      {{"--cpuset-mems", "900"}, "this host's are 0"},
      {{"--cpu-share", "1"}, "linux.resources.cpu.shares: must be 2 to 262144"},
  };
  for (const auto& [options, wanted] : cases) {
    CAPTURE(wanted);
    const Outcome outcome = updated.update(options);
    CHECK(outcome.status == 1);
    CHECK_MESSAGE(contains(outcome.err, wanted), outcome.err);
  }
}

TEST_SUITE_END();
