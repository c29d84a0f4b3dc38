// SPDX-License-Identifier: Apache-2.0
// Hosts, and namespaces of engines, that lack what an ordinary user's container could use.
#include "rootless.h"

using namespace onggi::test;

TEST_SUITE_BEGIN("rootless_host");

CASE("root of a user namespace runs containers in it") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  Rootless rootless;
  rootless.bundle.guest({"id", "--", "cat", "/proc/self/uid_map"});
  const std::string id = tag() + "-inside";
  Strings command = {"/usr/bin/unshare",
                     "--user",
                     "--map-root-user",
                     runtime_path(),
                     "run",
                     "--bundle",
                     rootless.bundle.path().string(),
                     id};
  SUBCASE("with a further user namespace") {
    for (const char* field : {"/linux/uidMappings", "/linux/gidMappings"})
      rootless.bundle.set_json(field, mapping(0, 0, 1));
  }
  SUBCASE("in the one that it has") {
    rootless.bundle.drop_namespace("user").erase("/linux/uidMappings").erase("/linux/gidMappings");
  }
  rootless.bundle.write();
  const Outcome outcome = run_program(command, rootless.user.as_user());
  CHECK(outcome.err == "");
  CHECK(outcome.status == 0);
  CHECK(value_of(outcome.out, "uid") == "0 0 0");
  CHECK(rootless.user.left().empty());
}

CASE("--rootless true lets root, too, go without a cgroup that the host refuses") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  Bundle bundle;
  // Device rules are a reason for a cgroup, too.
  bundle.drop_mount("/sys/fs/cgroup")
      .set_json("/linux/resources", R"({"devices": [{"allow": true, "access": "rwm"}]})")
      .write();
  const std::string script =
      "mount -o remount,bind,ro /sys/fs/cgroup; for m in /sys/fs/cgroup/*/; "
      "do mount -o remount,bind,ro $m 2>&-; done; exec \"$0\" \"$@\"";
  const auto run_with = [&](const char* value) {
    return run_program({"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, runtime_path(),
                        "--root", state_root().string(), "--rootless", value, "run", "--bundle",
                        bundle.path().string(), tag() + "-" + value});
  };
  const Outcome strict = run_with("false"), lenient = run_with("true");
  CHECK(strict.status == 1);
  CHECK(contains(strict.err, "linux.cgroupsPath"));
  CHECK(lenient.err == "");
  CHECK(lenient.status == 0);
}

CASE("without a pid namespace and a cgroup a kill reaches the first process, and says so") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  Rootless rootless;
  rootless.bundle.drop_namespace("pid").drop_mount("/proc").guest({"pause"}).write();
  const std::string id = tag() + "-first";
  REQUIRE(rootless.user
              .runtime({"--cgroup-manager", "disabled", "run", "--detach", "--bundle",
                        rootless.bundle.path().string(), id})
              .ok());
  const Outcome killed = rootless.user.runtime({"kill", id, "KILL"});
  CHECK(killed.ok());
  CHECK(contains(killed.err, "only its first process receives the signal"));
  CHECK(rootless.user.runtime({"delete", "--force", id}).ok());
  CHECK(rootless.user.left().empty());
}

CASE("devices that every container has may be in the list as well") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", kAsksNewuidmap);
  Rootless rootless;
  rootless.bundle
      .set_json("/linux/devices",
                R"([{"type": "c", "path": "/dev/tty", "major": 5, "minor": 0},
                    {"type": "c", "path": "/dev/ptmx", "major": 5, "minor": 2}])")
      .guest({"stat", "/dev/tty", "/dev/ptmx"});
  const Outcome outcome = rootless.run();
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "/dev/tty char"));
}

CASE("without an ipc namespace of its own a container has the host's message queues") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(file("/dev/mqueue"));
  DEVIATES("crun", kAsksNewuidmap);
  DEVIATES("runc",
           "1.1.5 mounts mqueue anew, which this user namespace may not, and does not bind it");
  Rootless rootless;
  rootless.bundle.drop_namespace("ipc")
      .add_mount("/dev/mqueue", "mqueue", "mqueue")
      .guest({"ls", "/dev/mqueue"});
  const Outcome outcome = rootless.run();
  CHECK(outcome.err == "");
  CHECK(outcome.status == 0);
}

CASE("root of a user namespace whose state has no place is told where it could be") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  Rootless rootless;
  rootless.bundle.write();
  const Outcome outcome = run_program(
      {"/usr/bin/unshare", "--user", "--map-root-user", "/usr/bin/env", "-u", "XDG_RUNTIME_DIR",
       runtime_path(), "create", "--bundle", rootless.bundle.path().string(), tag() + "-homeless"},
      rootless.user.as_user());
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "set XDG_RUNTIME_DIR or pass --root"));
}

CASE("an ordinary user needs no cgroup filesystem") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(file("/usr/bin/setpriv"));
  REQUIRES(onggi_only());
  Rootless rootless;
  rootless.bundle.drop_mount("/sys/fs/cgroup")
      .add_mount("/sys/fs/cgroup", "cgroup", "cgroup")
      .guest({"ls", "/sys/fs/cgroup", "--", "write", "/sys/fs/cgroup/x", "y"})
      .write();
  const std::string script =
      "umount --recursive --lazy /sys/fs/cgroup; exec setpriv --reuid 54321 --regid 54321 "
      "--clear-groups \"$0\" \"$@\"";
  const auto without_cgroups = [&](Strings words) {
    Strings command = {"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script, runtime_path()};
    command.insert(command.end(), words.begin(), words.end());
    Spawn spawn = rootless.user.as_user();
    spawn.user = std::nullopt;
    return run_program(command, spawn);
  };
  const std::string bundle = rootless.bundle.path().string(), id = tag() + "-bare";
  const Outcome outcome = without_cgroups({"run", "--bundle", bundle, id});
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "write /sys/fs/cgroup/x: EROFS"));
  CHECK(without_cgroups({"create", "--bundle", bundle, id}).ok());
  CHECK(without_cgroups({"delete", "--force", id}).ok());
  CHECK(rootless.user.left().empty());
}

TEST_SUITE_END();
