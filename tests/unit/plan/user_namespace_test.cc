// SPDX-License-Identifier: Apache-2.0
// Maps, ordinary users, and what neither can have.
#include "support.h"

#include <algorithm>
#include <string>
#include <vector>

namespace onggi::test {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* kOwnMaps = R"(
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
    "gidMappings": [{"containerID": 0, "hostID": 100, "size": 1}])";
constexpr const char* kRanges = R"(
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1},
                    {"containerID": 1, "hostID": 100000, "size": 65535}],
    "gidMappings": [{"containerID": 0, "hostID": 100, "size": 1},
                    {"containerID": 1, "hostID": 100000, "size": 65535}])";

std::string document(const std::string& linux, const std::string& process = "",
                     const std::string& user = R"({"type": "user"})") {
  return R"({"ociVersion": "1.3.0", "root": {"path": "rootfs"},
             "process": {"cwd": "/", "args": ["x"])" +
         (process.empty() ? "" : ", " + process) +
         R"(}, "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"})" +
         (user.empty() ? "" : ", " + user) + "]" + (linux.empty() ? "" : ", " + linux) + "}}";
}

plan::HostFacts ordinary_user() {
  plan::HostFacts facts = v2_host();
  facts.euid = 1000;
  facts.egid = 100;
  facts.capabilities = 0;
  return facts;
}

plan::HostFacts joining(std::vector<spec::IdMapping> uids, std::vector<spec::IdMapping> gids) {
  plan::HostFacts facts = v2_host();
  facts.joined_user = plan::UserNamespaceFacts{
      .uid_mappings = std::move(uids), .gid_mappings = std::move(gids), .set_groups_denied = false};
  return facts;
}

Strings refusals(const Result<plan::Plan>& plan) {
  REQUIRE(plan);
  Strings list;
  for (const Error& error : plan.value().refused)
    list.push_back(std::string(error.place.view()) + ": " + std::string(error.message.view()));
  return list;
}

TEST_CASE("standard streams become those of the program's user, as the host counts") {
  const auto owner = [](const std::string& process, const std::string& user,
                        const std::string& maps, const plan::HostFacts& facts) {
    const Result<plan::Plan> plan = plan_of(document(maps, process, user), facts);
    REQUIRE(plan);
    return plan->stream_owner;
  };
  const std::string user = R"({"type": "user"})",
                    path = R"({"type": "user", "path": "/proc/7/ns/user"})";
  const auto process = [](int uid) {
    return R"("user": {"gid": 0, "uid": )" + std::to_string(uid) + "}";
  };
  CHECK(owner(process(0), user, kRanges, v2_host()) == 1000);
  CHECK(owner(process(1), user, kRanges, v2_host()) == 100000);
  CHECK(owner(process(1000), user, kRanges, v2_host()) == 100999);
  CHECK(owner(process(70000), user, kRanges, v2_host()) == std::nullopt);
  CHECK(owner(process(5), path, "", joining({{0, 2000, 10}}, {{0, 3000, 10}})) == 2005);
  CHECK(owner(process(5), "", "", v2_host()) == std::nullopt);
  CHECK(owner(process(5) + R"(, "terminal": true)", user, kRanges, v2_host()) == std::nullopt);
}

TEST_CASE("root writes the maps, an ordinary user his own ids, and programs the rest") {
  const auto writer = [](const char* maps, const plan::HostFacts& facts) {
    const Result<plan::Plan> plan = plan_of(document(maps), facts);
    REQUIRE(plan);
    return plan->namespaces.map_writer;
  };
  plan::HostFacts user = ordinary_user();
  CHECK(writer(kOwnMaps, v2_host()) == plan::MapWriter::runtime);
  CHECK(writer(kOwnMaps, user) == plan::MapWriter::own_id);
  CHECK(writer(kRanges, user) == plan::MapWriter::programs);
  user.egid = 101;  // the group is not his
  CHECK(writer(kOwnMaps, user) == plan::MapWriter::programs);
  plan::HostFacts bare = v2_host();
  bare.capabilities = 0;
  CHECK(writer(kRanges, bare) == plan::MapWriter::programs);
}

TEST_CASE("setgroups is for those who may set groups") {
  const auto allowed = [](const char* maps, const plan::HostFacts& facts) {
    const Result<plan::Plan> plan = plan_of(document(maps), facts);
    REQUIRE(plan);
    return plan->handoff.set_groups;
  };
  plan::HostFacts user = ordinary_user();
  user.id_map_programs = true;
  CHECK(allowed(kRanges, v2_host()));
  CHECK(!allowed(kOwnMaps, user));
  CHECK(allowed(kRanges, user));
  plan::HostFacts nested = v2_host();
  nested.in_user_namespace = nested.set_groups_denied = true;
  CHECK(!allowed(kRanges, nested));
}

TEST_CASE("rootless users require a user namespace") {
  const Strings list = refusals(plan_of(document("", "", ""), ordinary_user()));
  REQUIRE(list.size() == 1);
  CHECK(list[0] == "linux.namespaces: rootless users require a user namespace");
  CHECK(refusals(plan_of(document(kOwnMaps), ordinary_user())).empty());
}

TEST_CASE("ranges without newuidmap are refused, with it they are not") {
  plan::HostFacts user = ordinary_user();
  const Strings list = refusals(plan_of(document(kRanges), user));
  REQUIRE(list.size() == 1);
  CHECK(list[0].starts_with("linux.uidMappings: newuidmap and newgidmap are not in $PATH"));
  user.id_map_programs = true;
  CHECK(refusals(plan_of(document(kRanges), user)).empty());
}

TEST_CASE("additional groups need setgroups") {
  const std::string groups = R"("user": {"uid": 0, "gid": 0, "additionalGids": [0]})";
  const Strings list = refusals(plan_of(document(kOwnMaps, groups), ordinary_user()));
  REQUIRE(list.size() == 1);
  CHECK(
      list[0] ==
      "process.user.additionalGids: cannot be set: setgroups(2) is denied in this user namespace");
  CHECK(refusals(plan_of(document(kRanges, groups), v2_host())).empty());
}

TEST_CASE("ids that are not mapped are refused by place") {
  const auto refused = [](const std::string& user) {
    return refusals(plan_of(document(kOwnMaps, "\"user\": " + user), v2_host()));
  };
  constexpr const char* kEnd = " is not mapped in the user namespace";
  CHECK(refused(R"({"uid": 1, "gid": 0})") == Strings{std::string("process.user.uid: 1") + kEnd});
  CHECK(refused(R"({"uid": 0, "gid": 7})") == Strings{std::string("process.user.gid: 7") + kEnd});
  CHECK(refused(R"({"uid": 0, "gid": 0, "additionalGids": [0, 9]})") ==
        Strings{std::string("process.user.additionalGids[1]: 9") + kEnd});
}

TEST_CASE("root of the container has to be mapped") {
  const std::string maps = R"(
    "uidMappings": [{"containerID": 1, "hostID": 1000, "size": 9}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}])";
  const Strings list =
      refusals(plan_of(document(maps, R"("user": {"uid": 1, "gid": 1})"), v2_host()));
  REQUIRE(list.size() == 1);
  CHECK(list[0].starts_with("linux.uidMappings: 0 is not mapped"));
}

TEST_CASE("mount options with ids that are not mapped are refused") {
  std::string text = document(kOwnMaps);
  text.insert(text.rfind(R"("linux")"),
              R"("mounts": [{"destination": "/dev/pts", "type": "devpts",
                             "options": ["newinstance", "gid=5"]}], )");
  CHECK(refusals(plan_of(text, v2_host())) ==
        Strings{"mounts[0].options[1]: 'gid=5' is not mapped in the user namespace"});
}

TEST_CASE("maps beside a path must be those of the namespace (checked as ranges)") {
  const std::string path = R"({"type": "user", "path": "/n"})";
  const auto with_maps = [&](const std::vector<spec::IdMapping>& actual) {
    return plan_of(document(kRanges, "", path), joining(actual, actual));
  };
  const std::string maps = R"("uidMappings": [{"containerID": 5, "hostID": 105, "size": 5},
                                              {"containerID": 0, "hostID": 100, "size": 5}])";
  const Result<plan::Plan> equal =
      plan_of(document(maps, "", path), joining({{0, 100, 10}}, {{0, 200, 10}}));
  REQUIRE(equal);
  CHECK(equal->warnings.size() == 1);
  CHECK(equal->namespaces.uid_mappings.empty());
  const Result<plan::Plan> other = with_maps({{0, 100, 10}, {20, 300, 1}});
  REQUIRE(!other);
  CHECK(other.error().place.view() == "linux.uidMappings");
  CHECK(other.error().message.view().ends_with("which are 0 100 10, 20 300 1"));
}

TEST_CASE("a user that the joined namespace does not map is refused") {
  const std::string path = R"({"type": "user", "path": "/n"})";
  const std::string user = R"("user": {"uid": 50, "gid": 0})";
  CHECK(refusals(plan_of(document("", user, path), joining({{0, 100, 10}}, {{0, 200, 10}}))) ==
        Strings{"process.user.uid: 50 is not mapped in the user namespace"});
}

TEST_CASE("network devices and id-mapped mounts are root's") {
  std::string text =
      document(std::string(kOwnMaps) + R"(, "netDevices": {"eth1": {"name": "eth0"}})", "",
               R"({"type": "user"}, {"type": "network"})");
  text.insert(
      text.rfind(R"("linux")"),
      R"("mounts": [{"destination": "/a", "source": "/b", "options": ["bind", "idmap"]}], )");
  const Strings list = refusals(plan_of(text, ordinary_user()));
  CHECK(std::ranges::count(list, "linux.netDevices: requires root on the host") == 1);
  CHECK(std::ranges::count(list, "mounts[0]: id-mapped mounts require root on the host") == 1);
}

TEST_CASE("a refused cgroup is no error for an ordinary user, or where --rootless says so") {
  const auto optional = [](const plan::HostFacts& facts, plan::Rootless rootless,
                           const std::string& more = "") {
    plan::LaunchOptions options;
    options.rootless = rootless;
    const Result<plan::Plan> plan = plan_of(document(kOwnMaps + more), facts, options);
    REQUIRE(plan);
    return plan->cgroup.optional;
  };
  CHECK(!optional(v2_host(), plan::Rootless::automatic));
  CHECK(optional(v2_host(), plan::Rootless::on));
  CHECK(optional(ordinary_user(), plan::Rootless::automatic));
  CHECK(!optional(ordinary_user(), plan::Rootless::off));
  CHECK(!optional(v2_host(), plan::Rootless::on, R"(, "cgroupsPath": "/a")"));
  CHECK(!optional(ordinary_user(), plan::Rootless::automatic,
                  R"(, "resources": {"pids": {"limit": 7}})"));
}

TEST_CASE("the document of spec --rootless is one that its user may run") {
  const Result<plan::Plan> plan = plan_of(spec::default_rootless_spec(1000, 100), ordinary_user());
  CHECK(refusals(plan).empty());
  CHECK(plan->namespaces.map_writer == plan::MapWriter::own_id);
  CHECK(plan->warnings.empty());
  CHECK(plan->cgroup.optional);
}

TEST_CASE("a notify socket is announced in a mount namespace of the container's own") {
  plan::LaunchOptions options;
  options.notify = true;
  const std::string text = document("", R"("env": ["NOTIFY_SOCKET=/x"])", "");
  const Result<plan::Plan> plan = plan_of(text, v2_host(), options);
  REQUIRE(plan);
  const plan::PoolView pool = plan->pool.view();
  REQUIRE(pool(plan->handoff.env).size() == 1);
  CHECK(std::string(pool(pool(plan->handoff.env)[0])) == "NOTIFY_SOCKET=/run/notify/notify.sock");
}

}  // namespace
}  // namespace onggi::test
