// SPDX-License-Identifier: Apache-2.0
// Where a container's cgroup is, and which hierarchy serves which limit.
#include "plan/build_cgroup.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace onggi;
using plan::CgroupLayout;
using plan::CgroupRequest;

plan::CgroupHierarchy v1(const char* name, std::vector<std::string> controllers) {
  return {std::string("/sys/fs/cgroup/") + name, name, std::move(controllers), "/", false};
}

plan::HostFacts v1_host() {
  plan::HostFacts facts;
  facts.cgroup_layout = CgroupLayout::v1;
  facts.cgroups = {v1("cpu,cpuacct", {"cpu", "cpuacct"}),
                   v1("cpuset", {"cpuset"}),
                   v1("devices", {"devices"}),
                   v1("freezer", {"freezer"}),
                   v1("memory", {"memory"}),
                   v1("systemd", {"name=systemd"})};
  return facts;
}

plan::HostFacts hybrid_host() {
  plan::HostFacts facts = v1_host();
  facts.cgroup_layout = CgroupLayout::hybrid;
  facts.cgroups.push_back({"/sys/fs/cgroup/unified", "unified", {"hugetlb"}, "/", true});
  return facts;
}

plan::HostFacts v2_host() {
  plan::HostFacts facts;
  facts.cgroup_layout = CgroupLayout::v2;
  facts.cgroups = {{"/sys/fs/cgroup", "", {"cpu", "memory", "pids"}, "/user.slice/u.scope", true}};
  return facts;
}

std::string error_of(const Result<plan::CgroupPlan>& plan) {
  if (plan) return "no error";
  return std::string(plan.error().place.view()) + ": " + std::string(plan.error().message.view());
}

std::string path_of(const plan::HostFacts& facts, spec::Text asked,
                    CgroupRequest request = CgroupRequest::cgroupfs) {
  spec::Spec spec;
  spec.linux.cgroups_path = asked;
  const Result<plan::CgroupPlan> plan = plan::build_cgroup(spec, facts, "web", request);
  if (!plan) return error_of(plan);
  const auto& directories = plan.value().directories;
  for (const plan::CgroupDirectory& directory : directories)
    CHECK(directory.path == directories.front().path);
  return directories.empty() ? "none" : directories.front().path;
}

spec::Spec with_resources(spec::Resources resources) {
  spec::Spec spec;
  spec.linux.resources = std::move(resources);
  return spec;
}

TEST_CASE("the path of the cgroup") {
  for (const plan::HostFacts& host : {v1_host(), hybrid_host(), v2_host()}) {
    CHECK(path_of(host, "/pod/web") == "/pod/web");
    CHECK(path_of(host, "pod/web") == "/pod/web");
    CHECK(path_of(host, "/pod/./x/..//web/") == "/pod/web");
    CHECK(path_of(host, "../../../etc") == "/etc");
    CHECK(path_of(host, "") == "/onggi-web");
    CHECK(path_of(host, "/") ==
          "linux.cgroupsPath: '/' is the root cgroup, which cannot be used for a container");
    CHECK(path_of(host, "a/..") ==
          "linux.cgroupsPath: 'a/..' is the root cgroup, which cannot be used for a container");
  }
}

TEST_CASE("without a path, an ordinary user's container is beside his own cgroup") {
  plan::HostFacts user = v2_host();
  user.euid = 1000;
  CHECK(path_of(user, "") == "/user.slice/onggi-web");
  user.cgroups[0].own_path = "/";
  CHECK(path_of(user, "") == "/onggi-web");
  user.cgroups[0].own_path = "/../../x";  // outside the cgroup namespace
  CHECK(path_of(user, "") == "/onggi-web");
  plan::HostFacts root_of_namespace = v2_host();
  root_of_namespace.in_user_namespace = true;
  CHECK(path_of(root_of_namespace, "") == "/user.slice/onggi-web");
}

TEST_CASE("the cgroup is optional only for a user who asks nothing of it") {
  plan::HostFacts user = v2_host();
  user.euid = 1000;
  const auto optional = [](const spec::Spec& spec, const plan::HostFacts& facts) {
    return plan::build_cgroup(spec, facts, "web", CgroupRequest::cgroupfs).value().optional;
  };
  CHECK(optional(spec::Spec{}, user));
  CHECK_FALSE(optional(spec::Spec{}, v2_host()));
  spec::Spec path;
  path.linux.cgroups_path = "/x";
  CHECK_FALSE(optional(path, user));
  spec::Resources limit;
  limit.pids_limit = 5;
  CHECK_FALSE(optional(with_resources(std::move(limit)), user));
}

TEST_CASE("a limit goes to the hierarchy that has its controller") {
  spec::Resources resources;
  resources.memory.emplace().limit = 5;
  resources.hugepage_limits = {{"2MB", 0}};
  const auto plan = plan::build_cgroup(with_resources(std::move(resources)), hybrid_host(), "web",
                                       CgroupRequest::cgroupfs);
  REQUIRE(plan);
  const plan::CgroupPlan& made = plan.value();
  REQUIRE(made.settings.size() > 3);
  CHECK(made.directories[made.settings[0].directory].mount_point == "/sys/fs/cgroup/memory");
  CHECK(made.settings[0].file == "memory.limit_in_bytes");
  CHECK(made.directories[made.settings[1].directory].mount_point == "/sys/fs/cgroup/unified");
  CHECK(made.settings[1].file == "hugetlb.2MB.max");
  REQUIRE(made.controllers.size() == 1);
  CHECK(made.controllers[0].name == "hugetlb");
  CHECK(made.controllers[0].place == "linux.resources.hugepageLimits[0]");
  CHECK_FALSE(made.device_program);
}

TEST_CASE("beside v1, a v2 controller that nobody needs is left alone") {
  const auto plan = plan::build_cgroup(spec::Spec{}, hybrid_host(), "web", CgroupRequest::cgroupfs);
  CHECK(plan.value().controllers.empty());
  const auto v2 = plan::build_cgroup(spec::Spec{}, v2_host(), "web", CgroupRequest::cgroupfs);
  CHECK(v2.value().controllers.size() == 3);
}

TEST_CASE("a missing controller is named with its field") {
  spec::Resources pids;
  pids.pids_limit = 5;
  const spec::Spec spec = with_resources(std::move(pids));
  CHECK(error_of(plan::build_cgroup(spec, v1_host(), "web", CgroupRequest::cgroupfs)) ==
        "linux.resources.pids.limit: cgroup controller 'pids' is not available");
  plan::HostFacts host = v2_host();
  host.cgroups[0].controllers = {"memory"};
  const auto v2 = plan::build_cgroup(spec, host, "web", CgroupRequest::cgroupfs);
  CHECK(error_of(v2) == "linux.resources.pids.limit: cgroup controller 'pids' is not available");
  CHECK_FALSE(v2.error().hint.empty());
  CHECK(error_of(plan::build_cgroup(spec, plan::HostFacts{}, "web", CgroupRequest::cgroupfs)) ==
        "linux.resources.pids.limit: this host has no cgroups");
  CHECK(error_of(plan::build_cgroup(spec, v2_host(), "web", CgroupRequest::disabled)) ==
        "linux.resources.pids.limit: this host has no cgroups");
}

TEST_CASE("unified needs a v2 hierarchy and the controller in it") {
  spec::Resources resources;
  resources.unified = {{"memory.high", "5"}, {"cgroup.max.depth", "2"}};
  const spec::Spec spec = with_resources(std::move(resources));
  CHECK(error_of(plan::build_cgroup(spec, v1_host(), "web", CgroupRequest::cgroupfs)) ==
        "linux.resources.unified: this host has no cgroup v2 hierarchy");
  CHECK(error_of(plan::build_cgroup(spec, hybrid_host(), "web", CgroupRequest::cgroupfs)) ==
        "linux.resources.unified[\"memory.high\"]: the memory controller is on cgroup v1 here, and "
        "unified is for cgroup v2");
  const auto v2 = plan::build_cgroup(spec, v2_host(), "web", CgroupRequest::cgroupfs);
  REQUIRE(v2);
  CHECK(v2.value().settings.size() == 2);
  CHECK(v2.value().controllers[1].place == "linux.resources.unified[\"memory.high\"]");
}

TEST_CASE("device rules are v1 settings, a v2 program, or nothing without the right to set them") {
  const auto v1 = plan::build_cgroup(spec::Spec{}, v1_host(), "web", CgroupRequest::cgroupfs);
  REQUIRE(v1);
  REQUIRE(v1.value().settings.size() == 13);
  CHECK(v1.value().settings[0].file == "devices.deny");
  CHECK(v1.value().settings[0].value == "a");
  const auto v2 = plan::build_cgroup(spec::Spec{}, v2_host(), "web", CgroupRequest::cgroupfs);
  CHECK(v2.value().settings.empty());
  CHECK(v2.value().device_program);
  plan::HostFacts user = v2_host();
  user.euid = 1000;
  CHECK_FALSE(plan::build_cgroup(spec::Spec{}, user, "web", CgroupRequest::cgroupfs)
                  .value()
                  .device_program);
  spec::Resources everything;
  everything.devices = {{true, 'a', {}, {}, "rwm"}};
  const spec::Spec privileged = with_resources(std::move(everything));
  CHECK_FALSE(plan::build_cgroup(privileged, v2_host(), "web", CgroupRequest::cgroupfs)
                  .value()
                  .device_program);
  CHECK(plan::build_cgroup(privileged, v1_host(), "web", CgroupRequest::cgroupfs)
            .value()
            .settings.empty());
  CHECK(error_of(
            plan::build_cgroup(spec::Spec{}, plan::HostFacts{}, "web", CgroupRequest::cgroupfs)) ==
        "linux.resources.devices: this host has no cgroups");
}

TEST_CASE("a host without cgroups runs a user's container, but not in a cgroup") {
  plan::HostFacts user;
  user.euid = 1000;
  CHECK(path_of(user, "") == "none");
  CHECK(path_of(user, "/x") == "linux.cgroupsPath: this host has no cgroups");
  CHECK(path_of(v2_host(), "/x", CgroupRequest::disabled) == "none");
}

TEST_CASE("the container's user gets the cgroup with a cgroup namespace and a writable mount") {
  spec::Spec spec;
  spec.process.emplace().user.uid = 5;
  spec.linux.namespaces = {{spec::NamespaceType::cgroup, ""}, {spec::NamespaceType::user, ""}};
  spec.linux.uid_mappings = {{0, 100000, 65536}};
  spec::Mount mount;
  mount.destination = "/sys/fs/cgroup";
  mount.type = "cgroup";
  mount.source = "cgroup";
  mount.options = {"nosuid", "rw"};
  spec.mounts.push_back(std::move(mount));
  const auto owner = [&] {
    return plan::build_cgroup(spec, v2_host(), "w", CgroupRequest::cgroupfs).value().owner;
  };
  CHECK(owner() == 100005);
  spec.linux.namespaces.back().path = "/proc/1/ns/user";
  CHECK(owner() == 100005);
  spec.linux.uid_mappings.clear();
  CHECK_FALSE(owner());
  spec.linux.namespaces.pop_back();
  CHECK(owner() == 5);
  spec.mounts[0].source = "other";
  CHECK_FALSE(owner());
  spec.mounts[0].source = "cgroup";
  CHECK_FALSE(plan::build_cgroup(spec, hybrid_host(), "w", CgroupRequest::cgroupfs).value().owner);
  spec.mounts[0].options = {"ro"};
  CHECK_FALSE(owner());
  spec.mounts[0].options = {};
  spec.linux.namespaces.clear();
  CHECK_FALSE(owner());
}

}  // namespace
