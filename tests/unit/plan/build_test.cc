// SPDX-License-Identifier: Apache-2.0
// Single decisions of the planner.
#include "support.h"

#include <linux/mount.h>

#include <algorithm>

namespace onggi::test {
namespace {

// A small valid configuration with something more in each part.
std::string document(const std::string& process, const std::string& top, const std::string& linux) {
  return R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"},
             "process": {"cwd": "/", "args": ["x"])" +
         (process.empty() ? "" : ", " + process) + "}" + (top.empty() ? "" : ", " + top) +
         R"(, "linux": {)" +
         (linux.empty() ? R"("namespaces": [{"type": "mount"}, {"type": "pid"}])" : linux) + "}}";
}

template <class Record>
std::vector<Record> steps(const plan::Plan& plan) {
  std::vector<Record> found;
  for (const auto* list : {&plan.before_pivot, &plan.after_pivot}) {
    for (const plan::Step& step : *list) {
      if (const auto* record = std::get_if<Record>(&step.action)) found.push_back(*record);
    }
  }
  return found;
}

std::string refusal(const plan::Plan& plan) {
  if (plan.refused.empty()) return "";
  return std::string(plan.refused.front().place.view()) + ": " +
         std::string(plan.refused.front().message.view());
}

TEST_CASE("what this host cannot do is refused by name") {
  const auto refused = [](const std::string& process, const std::string& top,
                          const std::string& linux) {
    const Result<plan::Plan> plan = plan_of(document(process, top, linux), v2_host());
    REQUIRE(plan);
    return refusal(plan.value());
  };
  CHECK(refused(R"("apparmorProfile": "a")", "", "") ==
        "process.apparmorProfile: AppArmor is not enabled on this host");
  CHECK(refused(R"("selinuxLabel": "a")", "", "") ==
        "process.selinuxLabel: SELinux is not enabled on this host");
  CHECK(refused("", "", "") == "");
}

TEST_CASE(
    "hooks of the container's side are steps, those of the runtime's side a pause before them") {
  const Result<plan::Plan> plan = plan_of(document(R"("env": ["LD_PRELOAD=x"])", R"("hooks": {
        "createRuntime": [{"path": "/r"}], "createContainer": [{"path": "/c"}],
        "startContainer": [{"path": "/s", "timeout": 3}, {"path": "/t", "args": ["t", "1"], "env": ["A=1"]}]})",
                                                   ""),
                                          v2_host());
  REQUIRE(plan);
  CHECK(refusal(plan.value()) == "");
  const plan::PoolView pool = plan->pool.view();
  const auto& before = plan->before_pivot;
  REQUIRE(before.size() > 2);
  CHECK(std::holds_alternative<plan::AwaitRuntimeHooks>(before[before.size() - 2].action));
  const auto* create = std::get_if<plan::ContainerHooks>(&before.back().action);
  REQUIRE(create != nullptr);
  // The environment is the image's: not for a hook that runs on the host's files (CVE-2025-23266).
  CHECK(pool(pool(create->list)[0].env).empty());
  CHECK(std::string(pool(create->state)).ends_with(R"("pid":)"));
  const auto start = pool(plan->handoff.start_hooks.list);
  REQUIRE(start.size() == 2);
  CHECK(start[0].timeout == 3);
  CHECK(std::string(pool(pool(start[0].args)[0])) == "/s");
  CHECK(std::string(pool(pool(start[0].env)[0])) == "LD_PRELOAD=x");
  CHECK(std::string(pool(pool(start[1].env)[0])) == "A=1");
}

TEST_CASE("scheduling as the kernel takes it") {
  const Result<plan::Plan> plan =
      plan_of(document(R"("scheduler": {"policy": "SCHED_BATCH", "nice": 5},
                  "ioPriority": {"class": "IOPRIO_CLASS_IDLE", "priority": 2})",
                       "", R"("namespaces": [{"type": "mount"}],
                      "memoryPolicy": {"mode": "MPOL_BIND", "nodes": "0,2-3,64", "flags": ["MPOL_F_STATIC_NODES"]})"),
              v2_host());
  REQUIRE(plan);
  CHECK(plan->handoff.scheduler.policy == 3);
  CHECK(plan->handoff.scheduler.nice == 5);
  CHECK(plan->handoff.io_priority == (3 << 13 | 2));
  CHECK(plan->handoff.memory_policy.mode == (2 | 1 << 15));
  const auto nodes = plan->pool.view()(plan->handoff.memory_policy.nodes);
  REQUIRE(nodes.size() == 2);
  CHECK(nodes[0] == 0b1101);
  CHECK(nodes[1] == 1);
}

TEST_CASE("the flags of a filter, with a listener and without") {
  constexpr uint32_t kLog = 1 << 1, kSpecAllow = 1 << 2, kNewListener = 1 << 3, kKillable = 1 << 5;
  const auto flags = [](const std::string& listed, const std::string& action) {
    const Result<plan::Plan> plan = plan_of(
        document(
            "", "",
            R"("namespaces": [{"type": "mount"}], "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", )" +
                listed + R"("listenerPath": "/a", "syscalls": [{"names": ["x"], "action": ")" +
                action + R"("}]})"),
        v2_host());
    REQUIRE(plan);
    CHECK(refusal(plan.value()) == "");
    return plan->handoff.seccomp_flags;
  };
  CHECK(flags("", "SCMP_ACT_ERRNO") == kSpecAllow);
  CHECK(flags(R"("flags": [], )", "SCMP_ACT_ERRNO") == 0);
  CHECK(flags(R"("flags": ["SECCOMP_FILTER_FLAG_LOG"], )", "SCMP_ACT_ERRNO") == kLog);
  CHECK(flags("", "SCMP_ACT_NOTIFY") == (kSpecAllow | kNewListener));
  // The courier of the listener must not be filtered; without an agent nobody waits for one.
  const std::string all =
      R"("flags": ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"], )";
  CHECK(flags(all, "SCMP_ACT_NOTIFY") == (kKillable | kNewListener));
  CHECK(flags(all, "SCMP_ACT_ERRNO") == 0);
}

TEST_CASE("labels are refused where their module is not in force (checklist 18) (checklist 19)") {
  plan::HostFacts facts = v2_host();
  const std::string text = document(R"("apparmorProfile": "web")", "", "");
  CHECK(refusal(plan_of(text, facts).value()) ==
        "process.apparmorProfile: AppArmor is not enabled on this host");
  facts.apparmor = true;
  const Result<plan::Plan> confined = plan_of(text, facts);
  CHECK(refusal(confined.value()) == "");
  CHECK(std::string(confined->pool.view()(confined->handoff.apparmor)) == "web");
  const std::string label = document(R"("selinuxLabel": "u:r:t:s0")", "", "");
  CHECK(refusal(plan_of(label, facts).value()) ==
        "process.selinuxLabel: SELinux is not enabled on this host");
  facts.selinux = true;
  const Result<plan::Plan> labelled = plan_of(label, facts);
  CHECK(refusal(labelled.value()) == "");
  CHECK(std::string(labelled->pool.view()(labelled->handoff.selinux)) == "u:r:t:s0");
}

TEST_CASE("without a mount namespace nothing may be mounted") {
  const std::string text = document("", R"("mounts": [{"destination": "/tmp", "type": "tmpfs"}])",
                                    R"("namespaces": [{"type": "pid"}])");
  const Result<plan::Plan> plan = plan_of(text, v2_host());
  REQUIRE(!plan);
  CHECK(plan.error().place.view() == "mounts");
  const Result<plan::Plan> bare = plan_of(document("", "", R"("namespaces": [])"), v2_host());
  REQUIRE(bare);
  CHECK(steps<plan::EnterRootfs>(bare.value()).front().way == plan::EnterRootfs::Way::chroot);
  CHECK(steps<plan::MakeDevice>(bare.value()).empty());
}

TEST_CASE("a mount below /proc must be one of lxcfs") {
  const auto place = [](const std::string& destination, const std::string& rest) {
    const Result<plan::Plan> plan = plan_of(
        document("", R"("mounts": [{"destination": ")" + destination + "\", " + rest + "}]", ""),
        v2_host());
    return plan ? std::string() : std::string(plan.error().place.view());
  };
  const std::string bind = R"("source": "/x", "options": ["bind"])";
  CHECK(place("/proc/meminfo", bind) == "");
  CHECK(place("/proc/sys", bind) == "mounts[0].destination");
  CHECK(place("/proc/../proc/sys/./kernel", bind) == "mounts[0].destination");
  CHECK(place("/proc", R"("type": "tmpfs")") == "mounts[0].destination");
  CHECK(place("/proc", R"("type": "proc")") == "");
  CHECK(place("/process", bind) == "");
}

TEST_CASE("a read-only tmpfs and /dev are made read-only after they are filled") {
  const Result<plan::Plan> plan = plan_of(
      document("", R"("mounts": [{"destination": "/dev", "type": "tmpfs", "options": ["ro"]}])",
               ""),
      v2_host());
  REQUIRE(plan);
  CHECK((steps<plan::FilesystemMount>(plan.value()).front().attributes & MOUNT_ATTR_RDONLY) == 0);
  CHECK(steps<plan::RemountReadonly>(plan.value()).size() == 1);
}

TEST_CASE("a cgroup mount has the propagation that was asked for, and no other options") {
  const auto plan_with = [](const std::string& options) {
    return plan_of(document("",
                            R"("mounts": [{"destination": "/sys/fs/cgroup", "type": "cgroup",
                                               "options": [)" +
                                options + "]}]",
                            ""),
                   v2_host());
  };
  const Result<plan::Plan> plan = plan_with(R"("ro", "rshared")");
  REQUIRE(plan);
  const auto mount = steps<plan::BindMount>(plan.value()).front();
  const auto propagation = plan->pool.view()(mount.propagation);
  REQUIRE(propagation.size() == 1);
  CHECK(propagation[0].type == MS_SHARED);
  CHECK(propagation[0].recursive == 1);
  const Result<plan::Plan> refused = plan_with(R"("release_agent=/x")");
  REQUIRE(!refused);
  CHECK(refused.error().place.view() == "mounts[0].options");
}

TEST_CASE("a bound /dev is left alone") {
  const Result<plan::Plan> plan = plan_of(
      document("",
               R"("mounts": [{"destination": "/dev/", "source": "/dev", "options": ["rbind"]}])",
               ""),
      v2_host());
  REQUIRE(plan);
  CHECK(steps<plan::MakeDevice>(plan.value()).empty());
  CHECK(steps<plan::MakeLink>(plan.value()).empty());
}

TEST_CASE("devices are bound in a user namespace, made elsewhere") {
  const std::string user = R"("namespaces": [{"type": "mount"}, {"type": "user"}],
      "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
      "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}])";
  CHECK(steps<plan::MakeDevice>(plan_of(document("", "", user), v2_host()).value()).front().bind);
  CHECK(!steps<plan::MakeDevice>(plan_of(document("", "", ""), v2_host()).value()).front().bind);
}

TEST_CASE("a bridge goes between only where it must") {
  const auto bridge = [](const std::string& namespaces, const std::string& more = "") {
    const Result<plan::Plan> plan =
        plan_of(document("", "", "\"namespaces\": [" + namespaces + "]" + more), v2_host());
    REQUIRE(plan);
    return plan->namespaces.bridge;
  };
  const std::string maps = R"(, "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
      "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}])";
  CHECK(!bridge(R"({"type": "mount"}, {"type": "pid"}, {"type": "network", "path": "/n"})"));
  CHECK(!bridge(R"({"type": "mount"}, {"type": "user"})", maps));
  CHECK(bridge(R"({"type": "mount"}, {"type": "pid", "path": "/n"})"));
  CHECK(bridge(R"({"type": "mount"}, {"type": "time"})"));
  CHECK(bridge(R"({"type": "mount"}, {"type": "user"}, {"type": "network", "path": "/n"})", maps));
}

TEST_CASE("what cannot be granted is left out with a warning") {
  plan::HostFacts facts = v2_host();
  facts.capabilities = 1U << 0;  // CAP_CHOWN
  const Result<plan::Plan> plan = plan_of(
      document(
          R"("capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NEW"], "permitted": ["CAP_CHOWN"],
                  "effective": ["CAP_CHOWN", "CAP_KILL"]})",
          "", ""),
      facts);
  REQUIRE(plan);
  CHECK(plan->handoff.capabilities.bounding == 1);
  CHECK(plan->handoff.capabilities.effective == 1);
  CHECK(plan->warnings.size() == 1);
  REQUIRE(plan->ignored.size() == 1);
  CHECK(plan->ignored[0] == "process.capabilities.bounding[2]: unknown capability \"CAP_NEW\"");
}

TEST_CASE("the last of several entries for a variable counts, an empty HOME is none") {
  const Result<plan::Plan> plan =
      plan_of(document(R"("env": ["A=1", "PATH=/x", "A=2", "HOME="])", "", ""), v2_host());
  REQUIRE(plan);
  const plan::PoolView pool = plan->pool.view();
  std::vector<std::string> entries;
  for (plan::Text text : pool(plan->handoff.env)) entries.emplace_back(pool(text));
  CHECK(entries == std::vector<std::string>{"PATH=/x", "A=2"});
  CHECK(std::string(pool(plan->handoff.path)) == "/x");
  CHECK(plan->handoff.find_home);
}

TEST_CASE("descriptors of socket activation are announced to the program") {
  plan::LaunchOptions options;
  options.listen_fds = 2;
  const Result<plan::Plan> plan = plan_of(document("", "", ""), v2_host(), options);
  REQUIRE(plan);
  const std::string_view bytes = plan->pool.bytes();
  CHECK(bytes.find("LISTEN_FDS=2") != std::string_view::npos);
  CHECK(bytes.find("LISTEN_PID=1") != std::string_view::npos);
}

}  // namespace
}  // namespace onggi::test
