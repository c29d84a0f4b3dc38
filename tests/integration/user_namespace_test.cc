// SPDX-License-Identifier: Apache-2.0
// User namespaces that exist already, their maps, and what has to happen before one is entered.
#include "support/user_namespace.h"

#include "support/suite.h"

#include <sys/resource.h>
#include <unistd.h>

#include <stdexcept>

using namespace onggi::test;

namespace {

constexpr const char* kUidMap = "0 400000 1000\n";
constexpr const char* kGidMap = "0 500000 900\n1000 600000 10\n";

Bundle& joining(Bundle& bundle, const UserNamespace& target) {
  bundle.set_namespace("user", target.path());
  if (chown(bundle.rootfs().c_str(), 400000, 500000) != 0) throw std::runtime_error("chown");
  return bundle.guest({"id", "--", "cat", "/proc/self/uid_map", "/proc/self/gid_map"});
}

}  // namespace

TEST_SUITE_BEGIN("user_namespace");

CASE("maps beside a path are accepted if they are those of the namespace (checklist 30)") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  const UserNamespace target(kUidMap, kGidMap);
  Bundle bundle;
  joining(bundle, target).set_json("/linux/uidMappings", mapping(0, 400000, 1000));
  // The same in another order and in smaller pieces.
  bundle.set_json("/linux/gidMappings",
                  R"([{"containerID": 1000, "hostID": 600000, "size": 10},
                      {"containerID": 100, "hostID": 500100, "size": 800},
                      {"containerID": 0, "hostID": 500000, "size": 100}])");
  const Outcome outcome = run(bundle);
  CHECK(outcome.status == 0);
  CHECK(value_of(outcome.out, "uid") == "0 0 0");
  CHECK(contains(outcome.out, "400000"));
  CHECK(contains(outcome.out, "600000"));
}

CASE("maps beside a path that are not those of the namespace are an error that shows them") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  EXCLUDES("crun", "1.8.1 ignores them");
  const UserNamespace target(kUidMap, kGidMap);
  Bundle bundle;
  joining(bundle, target);
  const auto refused = [&](const char* field, unsigned host_id) {
    bundle.set_json(field, mapping(0, host_id, 1000));
    const Outcome outcome = create(bundle);
    CHECK(outcome.status == 1);
    bundle.erase(field);
    return outcome.err;
  };
  const std::string uids = refused("/linux/uidMappings", 400001);
  const std::string gids = refused("/linux/gidMappings", 500000);
  if (!is_onggi()) return;
  CHECK(contains(uids, "linux.uidMappings: "));
  CHECK(contains(uids, "which are 0 400000 1000"));
  CHECK(contains(gids, "linux.gidMappings: "));
  CHECK(contains(gids, "which are 0 500000 900, 1000 600000 10"));
}

CASE("equal maps beside a path are a warning in the log") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  const UserNamespace target(kUidMap, kGidMap);
  const ScratchDirectory logs("log");
  const std::string log = logs.path() / "log";
  Bundle bundle;
  joining(bundle, target).set_json("/linux/uidMappings", mapping(0, 400000, 1000)).write();
  const Outcome outcome = runtime({"--log", log, "--log-level", "warning", "run", "--bundle",
                                   bundle.path().string(), tag() + "-warned"});
  CHECK(outcome.status == 0);
  CHECK(contains(read_file(log), "linux.uidMappings"));
}

CASE("a joined user namespace that denies setgroups refuses additional groups only") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", "1.8.1 leaves the groups out without a word");
  DEVIATES("runc", "1.1.5 wants maps beside the path");
  const UserNamespace target(kUidMap, kGidMap, true);
  Bundle bundle;
  joining(bundle, target);
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(value_of(outcome.out, "uid") == "0 0 0");
  bundle.set_json("/process/user/additionalGids", "[5]");
  const Outcome refused = create(bundle);
  CHECK(refused.status == 1);
  CHECK(contains(refused.err, "process.user.additionalGids"));
}

CASE("ids that are not mapped are refused before anything is made") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  const struct {
    const char *pointer, *json, *place;
  } rows[] = {
      {"/process/user/uid", "100", "process.user.uid"},
      {"/process/user/gid", "100", "process.user.gid"},
      {"/process/user/additionalGids", "[1, 100]", "process.user.additionalGids[1]"},
      {"/mounts/1/options/-", R"("gid=100")", "mounts[1].options[4]"},
      {"/linux/uidMappings/0/containerID", "1", "linux.uidMappings"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.pointer));
    Bundle bundle;
    bundle.set_namespace("user")
        .set_json("/linux/uidMappings", mapping(0, 400000, 50))
        .set_json("/linux/gidMappings", mapping(0, 500000, 50))
        .set_json(row.pointer, row.json);
    const Outcome outcome = create(bundle);
    CHECK(outcome.status == 1);
    CHECK(contains(outcome.err, std::string(row.place) + ": "));
    CHECK(contains(outcome.err, "not mapped"));
  }
}

CASE("a path that is no user namespace is an error of its place") {
  REQUIRES(root());
  Bundle bundle;
  for (const char* path : {"/proc/self/ns/net", "/etc/passwd", "/nonexistent"}) {
    CAPTURE(std::string(path));
    const Outcome outcome = create(bundle.set_namespace("user", path));
    CHECK(outcome.status == 1);
    if (is_onggi()) CHECK(contains(outcome.err, "linux.namespaces[6].path"));
  }
}

CASE("rlimits hold in a user namespace, one below the descriptors in use too (checklist 16)") {
  REQUIRES(root());
  DEVIATES("runc", "1.1.5 opens files after it has set the limit");
  DEVIATES("crun", "1.8.1 opens files after it has set the limit");
  REQUIRES(user_namespaces());
  Bundle bundle;
  bundle.set_namespace("user")
      .set_json("/linux/uidMappings", mapping(0, 400000, 65536))
      .set_json("/linux/gidMappings", mapping(0, 400000, 65536))
      .guest({"rlimits"});
  CHECK(chown(bundle.rootfs().c_str(), 400000, 400000) == 0);
  bundle.set_json("/process/rlimits",
                  R"([{"type": "RLIMIT_NOFILE", "soft": 3, "hard": 4},
                      {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}])");
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "NOFILE 3 4"));
  CHECK(contains(outcome.out, "CORE 0 0"));
}

CASE("a hard limit above that of the runtime is raised before the user namespace forbids it") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(capability(24, "CAP_SYS_RESOURCE"));
  rlimit before = {};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low = {.rlim_cur = 512, .rlim_max = 512};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  Bundle bundle;
  bundle.set_namespace("user")
      .set_json("/linux/uidMappings", mapping(0, 400000, 65536))
      .set_json("/linux/gidMappings", mapping(0, 400000, 65536))
      .guest({"rlimits"});
  CHECK(chown(bundle.rootfs().c_str(), 400000, 400000) == 0);
  bundle.set_json("/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 700, "hard": 800}])");
  const Outcome outcome = run(bundle);
  CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(contains(outcome.out, "NOFILE 700 800"));
}

TEST_SUITE_END();
