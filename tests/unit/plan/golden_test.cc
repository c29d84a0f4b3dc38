// SPDX-License-Identifier: Apache-2.0
// Whole plans as text. After a deliberate change: ONGGI_UPDATE_GOLDEN=1 writes them anew; read the
// difference.
#include "support.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace onggi::test {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void compare(const std::string& name, const plan::Plan& plan) {
  const std::string path = std::string(ONGGI_GOLDEN) + "/" + name + ".txt";
  const std::string text = plan::print(plan);
  if (getenv("ONGGI_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  CHECK(text == read(path));
}

const char* kEngine = R"({
  "ociVersion": "1.1.0",
  "process": {
    "terminal": true,
    "consoleSize": {"height": 40, "width": 120},
    "user": {"uid": 1000, "gid": 100, "umask": 18, "additionalGids": [5, 20]},
    "args": ["/bin/server", "--port", "80"],
    "env": ["PATH=/bin", "A=1", "HOME=", "A=2"],
    "cwd": "/srv",
    "capabilities": {"bounding": ["CAP_CHOWN", "CAP_NET_RAW"], "permitted": ["CAP_NET_RAW"],
                     "effective": ["CAP_NET_RAW"], "inheritable": ["CAP_NET_RAW"], "ambient": ["CAP_NET_RAW"]},
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 512, "hard": 1024}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}],
    "oomScoreAdj": 100
  },
  "root": {"path": "/images/x/merged", "readonly": true},
  "hostname": "web",
  "domainname": "example",
  "mounts": [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "ro", "mode=755"]},
    {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["newinstance", "ptmxmode=0666"]},
    {"destination": "/data", "type": "bind", "source": "data", "options": ["rbind", "ro", "rprivate"]},
    {"destination": "/deep", "source": "/deep", "options": ["rbind", "rro", "rshared"]},
    {"destination": "/tmp", "type": "tmpfs"},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
                   {"type": "network", "path": "/run/netns/web"}],
    "sysctl": {"net.ipv4.ping_group_range": "0 0", "net/ipv4/conf/eth0.100/forwarding": "1"},
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 384, "uid": 1, "gid": 2},
                {"path": "/dev/null", "type": "c", "major": 1, "minor": 3}],
    "resources": {"memory": {"limit": 67108864, "swap": 134217728}, "pids": {"limit": 50},
                  "cpu": {"shares": 512, "quota": 50000, "period": 100000}},
    "cgroupsPath": "/engine/web",
    "rootfsPropagation": "shared",
    "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/kcore/"],
    "readonlyPaths": ["/proc/sys"],
    "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}
  }
})";

TEST_CASE("the default container on a v2 host") {
  const Result<plan::Plan> plan = plan_of(spec::default_spec(), v2_host());
  REQUIRE(plan);
  compare("default-v2", plan.value());
}

TEST_CASE("the default container on a v1 host") {
  const Result<plan::Plan> plan = plan_of(spec::default_spec(), v1_host());
  REQUIRE(plan);
  compare("default-v1", plan.value());
}

TEST_CASE("an engine's container") {
  const Result<plan::Plan> v2 = plan_of(kEngine, v2_host());
  REQUIRE(v2);
  compare("engine-v2", v2.value());
  const Result<plan::Plan> v1 = plan_of(kEngine, v1_host());
  REQUIRE(v1);
  compare("engine-v1", v1.value());
}

TEST_CASE("an engine's container with systemd") {
  std::string document = kEngine;
  const std::string path = "/engine/web";
  document.replace(document.find(path), path.size(), "engine-a.slice:engine:web");
  plan::LaunchOptions options;
  options.cgroup = plan::CgroupRequest::systemd;
  plan::HostFacts facts = v2_host();
  facts.systemd = plan::SystemdAccess::ready;
  const Result<plan::Plan> systemd = plan_of(document, facts, options);
  REQUIRE(systemd);
  compare("engine-systemd", systemd.value());
}

TEST_CASE("systemd that cannot be asked is refused") {
  plan::LaunchOptions options;
  options.cgroup = plan::CgroupRequest::systemd;
  plan::HostFacts facts = v2_host();
  for (const auto& [access, text] :
       {std::pair(plan::SystemdAccess::not_built,
                  "--systemd-cgroup: this onggi was built without libsystemd"),
        std::pair(plan::SystemdAccess::no_bus,
                  "--systemd-cgroup: cannot find systemd: neither /run/systemd/private nor "
                  "/run/dbus/system_bus_socket")}) {
    facts.systemd = access;
    const Result<plan::Plan> plan = plan_of(spec::default_spec(), facts, options);
    REQUIRE(plan);
    REQUIRE(plan->refused.size() == 1);
    CHECK(plan->refused[0].message.view() == text);
  }
}

}  // namespace
}  // namespace onggi::test
