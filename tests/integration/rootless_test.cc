// SPDX-License-Identifier: Apache-2.0
// An ordinary user, and root of a user namespace, in the place of root.
#include "rootless.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace onggi::test;

namespace fs = std::filesystem;

namespace {

// A file of the host replaced in the mount namespace of this test program, until the end.
class Replaced {
 public:
  Replaced(std::string path, std::string_view text) : path_(std::move(path)), directory_("etc") {
    const fs::path file = directory_.path() / "file";
    write_file(file, text);
    mounted_ = mount(file.c_str(), path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
  }
  ~Replaced() {
    if (mounted_) umount(path_.c_str());
  }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;
  Need need() const { return {mounted_, "needs a " + path_ + " to mount over"}; }

 private:
  std::string path_;
  ScratchDirectory directory_;
  bool mounted_;
};

constexpr const char* kPasswd = "root:x:0:0:root:/root:/bin/sh\nplain:x:54321:54321::/:/bin/sh\n";

// Both ids 1..999 come from what was given to the user.
Bundle& map_range(Bundle& bundle) {
  for (const char* field : {"/linux/uidMappings", "/linux/gidMappings"}) {
    bundle.set_json(field, R"([{"containerID": 0, "hostID": 54321, "size": 1},
                               {"containerID": 1, "hostID": 700000, "size": 999}])");
  }
  return bundle;
}

}  // namespace

TEST_SUITE_BEGIN("rootless");

CASE("spec --rootless writes what an ordinary user can run at once") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", kAsksNewuidmap);
  Rootless rootless;
  const Outcome written =
      rootless.user.runtime({"spec", "--rootless"}, {.directory = rootless.bundle.path()});
  REQUIRE(written.ok());
  std::string text = read_file(rootless.bundle.config());
  const auto replace = [&text](std::string_view from, std::string_view to) {
    REQUIRE(contains(text, from));
    text.replace(text.find(from), from.size(), to);
  };
  replace("\"terminal\": true", "\"terminal\": false");
  replace("\"sh\"", R"("/bin/guest", "id", "--", "cat", "/proc/self/uid_map", "--", "ns")");
  rootless.bundle.raw(text);
  const Outcome outcome = rootless.run();
  CHECK(outcome.err == "");
  CHECK(outcome.status == 0);
  CHECK(value_of(outcome.out, "uid") == "0 0 0");
  CHECK(contains(outcome.out, "54321"));
  CHECK(contains(outcome.out, "ns " + fs::read_symlink("/proc/self/ns/net").string()));
}

CASE("an ordinary user creates, starts, signals and deletes a container") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", kAsksNewuidmap);
  Rootless rootless;
  const OrdinaryUser& user = rootless.user;
  rootless.bundle.guest({"echo", "up", "--", "pause"}).write();
  const std::string id = tag() + "-life";
  const auto out = std::make_shared<Capture>();
  const Outcome created = user.runtime({"create", "--bundle", rootless.bundle.path().string(), id},
                                       {.out = out, .err = std::make_shared<Capture>()});
  REQUIRE(created.err == "");
  CHECK(contains(user.runtime({"state", id}).out, "\"created\""));
  CHECK(user.runtime({"start", id}).ok());
  CHECK(eventually([&] { return contains(out->text(), "up"); }));
  CHECK(contains(user.runtime({"state", id}).out, "\"running\""));
  CHECK_FALSE(user.runtime({"delete", id}).ok());
  CHECK(user.runtime({"kill", id, "KILL"}).ok());
  CHECK(eventually([&] { return contains(user.runtime({"state", id}).out, "\"stopped\""); }));
  CHECK(user.runtime({"delete", id}).ok());
  CHECK(user.left().empty());
}

CASE("the state of an ordinary user is his alone, below XDG_RUNTIME_DIR") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Rootless rootless;
  rootless.bundle.guest({"pause"}).write();
  const std::string id = tag() + "-state";
  const Spawn quiet = {.out = std::make_shared<Capture>(), .err = std::make_shared<Capture>()};
  REQUIRE(rootless.user.runtime({"create", "--bundle", rootless.bundle.path().string(), id}, quiet)
              .ok());
  const fs::path state = rootless.user.home() / "run" / runtime_name();
  CHECK(fs::exists(state / id));
  struct stat info = {};
  CHECK(stat(state.c_str(), &info) == 0);
  CHECK(info.st_uid == OrdinaryUser::kUid);
  CHECK((info.st_mode & 0777) == 0700);
  CHECK(rootless.user.runtime({"delete", "--force", id}).ok());
  CHECK(rootless.user.left().empty());
}

CASE("without XDG_RUNTIME_DIR an ordinary user is told to set it") {
  REQUIRES(root());
  EXCLUDES("runc", "1.1.5 falls back to /run, where it fails with another message");
  EXCLUDES("crun", "1.8.1 falls back to /run, where it fails with another message");
  const OrdinaryUser user;
  const Outcome outcome = run_program(
      {"/usr/bin/env", "-u", "XDG_RUNTIME_DIR", runtime_path(), "list"}, user.as_user());
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "XDG_RUNTIME_DIR"));
}

CASE("an ordinary user without a user namespace is told what he needs") {
  REQUIRES(root());
  DEVIATES("crun", "adds one by itself");
  Rootless rootless;
  rootless.bundle.drop_namespace("user").erase("/linux/uidMappings").erase("/linux/gidMappings");
  const Outcome outcome = rootless.run();
  CHECK(outcome.status == 1);
  CHECK(contains(outcome.err, "user namespace"));
  if (is_onggi()) CHECK(contains(outcome.err, "spec --rootless"));
}

CASE("additional groups where setgroups is denied are an error with the reason") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", "1.8.1 leaves them out without a word");
  Rootless rootless;
  rootless.bundle.set_json("/process/user/additionalGids", "[0]");
  const Outcome outcome = rootless.run();
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "process.user.additionalGids"));
    CHECK(contains(outcome.err, "setgroups"));
  }
}

CASE("ranges of /etc/subuid are mapped by newuidmap, and groups can then be set") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(file("/usr/bin/newuidmap"));
  DEVIATES("runc", "1.1.5 refuses additional groups to every ordinary user");
  const Replaced passwd("/etc/passwd", kPasswd);
  const Replaced users("/etc/subuid", "plain:700000:1000\n"),
      groups("/etc/subgid", "54321:700000:1000\n");
  REQUIRES(passwd.need());
  REQUIRES(users.need());
  REQUIRES(groups.need());
  Rootless rootless;
  map_range(rootless.bundle)
      .guest({"id", "--", "cat", "/proc/self/uid_map", "/proc/self/gid_map"})
      .set_json("/process/user", R"({"uid": 7, "gid": 8, "additionalGids": [9, 10]})");
  const Outcome outcome = rootless.run();
  CHECK(outcome.err == "");
  CHECK(value_of(outcome.out, "uid") == "7 7 7");
  CHECK(value_of(outcome.out, "gid") == "8 8 8");
  CHECK(value_of(outcome.out, "groups") == "9 10");
  CHECK(contains(outcome.out, "700000"));
}

CASE("a range that was not given is refused with the words of newuidmap and the cure") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(file("/usr/bin/newuidmap"));
  const Replaced passwd("/etc/passwd", kPasswd);
  REQUIRES(passwd.need());
  Rootless rootless;
  map_range(rootless.bundle);
  const auto refused = [&](const char* given) {
    const Replaced users("/etc/subuid", given), groups("/etc/subgid", given);
    const Outcome outcome = rootless.run();
    CHECK(outcome.status == 1);
    return outcome.err;
  };
  const std::string none = refused("other:700000:1000\n");
  const std::string narrow = refused("plain:700000:10\n");
  if (!is_onggi()) return;
  CHECK(contains(none, "linux.gidMappings: newgidmap: "));
  CHECK(contains(none, "/etc/subgid has no entry for plain: usermod --add-subgids"));
  CHECK(contains(narrow, "the ids must be in a range that /etc/subgid gives to plain"));
}

CASE("ranges without newuidmap in PATH are refused before anything is made") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  EXCLUDES("crun", "1.8.1 goes on with one id and a warning");
  Rootless rootless;
  map_range(rootless.bundle);
  const Outcome outcome = rootless.run({}, {.environment = {"PATH=/nowhere"}});
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "linux.uidMappings: newuidmap and newgidmap are not in $PATH"));
    CHECK(contains(outcome.err, "uidmap"));
  }
}

CASE("an ordinary user has a terminal") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  EXCLUDES("crun", "1.8.1 shows nothing of the terminal's size here, after a long wait");
  Rootless rootless;
  rootless.bundle.set("/process/terminal", true).guest({"isatty", "--", "ttysize"});
  Pty pty(33, 77);
  const Outcome outcome = rootless.run({}, {.terminal = pty.slave});
  CHECK(outcome.status == 0);
  CHECK(pty.master.wait_for("ttysize"));
  // The others set the size while the program runs.
  if (is_onggi()) CHECK(pty.master.wait_for("ttysize 33 77"));
}

CASE("hooks of an ordinary user run as he is, and in his container") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Rootless rootless;
  const std::string guest = (rootless.bundle.rootfs() / "bin/guest").string();
  const std::string trace = (rootless.user.home() / "trace").string();
  rootless.bundle.set_json("/hooks", R"({"createRuntime": [{"path": "/bin/sh",
      "args": ["sh", "-c", "id -u >)" + trace +
                                         R"("], "env": ["PATH=/usr/bin:/bin"]}],
      "startContainer": [{"path": "/bin/guest", "args": ["guest", "id"]}]})");
  CHECK(rootless.run().status == 0);
  CHECK(read_file(trace) == "54321\n");
}

CASE("an ordinary user can raise oomScoreAdj, and a lower one is refused before anything is made") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  Rootless rootless;
  rootless.bundle.guest({"oom-score-adj"});
  rootless.bundle.set("/process/oomScoreAdj", 500);
  CHECK(contains(rootless.run().out, "500"));
  rootless.bundle.set("/process/oomScoreAdj", -900);
  const Outcome outcome = rootless.run();
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "process.oomScoreAdj"));
    CHECK(contains(outcome.err, "only raise it"));
  }
}

CASE("limits without a cgroup to set them in are an error that names the limit") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(cgroup_controller("pids"));
  EXCLUDES("crun", "1.8.1 leaves the limits out where it has no cgroup");
  Rootless rootless;
  rootless.bundle.set_json("/linux/resources/pids", R"({"limit": 20})");
  const Outcome outcome = rootless.run();
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "linux.resources.pids.limit"));
    CHECK(contains(outcome.err, "permission denied"));
    CHECK(contains(outcome.err, "delegate"));
  }
}

CASE("a cgroupsPath that is not the user's is an error with the cure") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  EXCLUDES("runc", "1.1.5 goes on without a cgroup");
  Rootless rootless;
  rootless.bundle.set("/linux/cgroupsPath", "/" + tag() + "/x");
  const Outcome outcome = rootless.run();
  CHECK(outcome.status == 1);
  if (is_onggi()) {
    CHECK(contains(outcome.err, "linux.cgroupsPath"));
    CHECK(contains(outcome.err, "--cgroup-manager disabled"));
  }
}

CASE("a delegated v2 subtree is used, as far as its controllers go") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  // Where v2 is in use, the case of a user's own scope (systemd_test.cc) is the same.
  REQUIRES((Need{!cgroup_v2().met, "a v2 hierarchy that is not in use"}));
  Rootless rootless;
  rootless.bundle.guest({"cgroup"}).drop_namespace("cgroup").drop_mount("/sys/fs/cgroup").write();
  // Seen by nobody else: the whole host as one v2 hierarchy, with a part that is the user's.
  const std::string script =
      "set -e; mount -t cgroup2 none /sys/fs/cgroup; d=/sys/fs/cgroup/" + tag() +
      "; mkdir -p $d/shell; chown 54321:54321 $d $d/cgroup.procs $d/cgroup.subtree_control "
      "$d/shell $d/shell/cgroup.procs; echo $$ >$d/shell/cgroup.procs; status=0; "
      "setpriv --reuid 54321 --regid 54321 --clear-groups env XDG_RUNTIME_DIR=" +
      (rootless.user.home() / "run").string() + " '" + runtime_path() + "' run --bundle '" +
      rootless.bundle.path().string() +
      "' inside || status=$?; echo $$ >/sys/fs/cgroup/cgroup.procs; echo left: $d/*/; "
      "rmdir $d/shell $d; exit $status";
  const Outcome outcome = run_program({"/usr/bin/unshare", "--mount", "/bin/sh", "-c", script});
  CHECK(outcome.err == "");
  CHECK(outcome.status == 0);
  CHECK(contains(outcome.out, "0::/" + tag() + "/onggi-inside\n"));
  CHECK(contains(outcome.out, "left: /sys/fs/cgroup/" + tag() + "/shell/\n"));
}

CASE("without a cgroup of its own a container does not see those of the host") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  REQUIRES(onggi_only());
  Rootless rootless;
  rootless.bundle.drop_namespace("cgroup").guest(
      {"ls", "/sys/fs/cgroup/memory", "--", "write", "/sys/fs/cgroup/memory/x", "y"});
  REQUIRES(cgroup_v1());
  const Outcome outcome = rootless.run();
  CHECK(outcome.status == 1);
  CHECK_FALSE(contains(outcome.out, "memory.limit_in_bytes"));
  CHECK(contains(outcome.out, "write /sys/fs/cgroup/memory/x: EROFS"));
}

CASE("without a pid namespace of its own a container has the host's proc") {
  REQUIRES(root());
  REQUIRES(user_namespaces());
  DEVIATES("crun", "1.8.1 mounts a new proc, which is not permitted");
  DEVIATES("runc", "1.1.5 wants a bind mount in the configuration");
  Rootless rootless;
  rootless.bundle.drop_namespace("pid").guest({"cat", "/proc/self/uid_map"});
  const Outcome outcome = rootless.run();
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, "54321"));
}

CASE("what only root can have is refused by name") {
  REQUIRES(root());
  REQUIRES(onggi_only());
  const struct {
    const char *pointer, *json, *place;
  } rows[] = {
      {"/linux/netDevices", R"({"eth7": {"name": "eth0"}})", "linux.netDevices"},
      {"/mounts/-", R"({"destination": "/a", "source": "/", "options": ["bind", "idmap"]})",
       "mounts[7]"},
      {"/linux/devices", R"([{"type": "c", "path": "/dev/nothing", "major": 1, "minor": 3}])",
       "linux.devices[0]"},
      {"/linux/devices", R"([{"type": "c", "path": "/dev/null", "major": 1, "minor": 9}])",
       "linux.devices[0]"},
      {"/process/rlimits", R"([{"type": "RLIMIT_NOFILE", "soft": 1, "hard": 9999999}])",
       "process.rlimits[0].hard"},
  };
  for (const auto& row : rows) {
    CAPTURE(std::string(row.json));
    Rootless rootless;
    rootless.bundle.set_json(row.pointer, row.json);
    const Outcome outcome = rootless.run();
    CHECK(outcome.status == 1);
    CAPTURE(outcome.err);
    CHECK(contains(outcome.err, std::string(row.place) + ":"));
  }
}

TEST_SUITE_END();
