// SPDX-License-Identifier: Apache-2.0
// An ordinary user's containers in cgroups of his own: in a scope of his systemd manager, and in a
// subtree that was delegated to him. On cgroup v2 alone; v1 cannot be delegated.
#include "support/suite.h"
#include "support/user_namespace.h"

#include <signal.h>
#include <unistd.h>

using namespace onggi::test;
namespace fs = std::filesystem;

namespace {

// Somebody who has a systemd manager of his own here; 0: nobody.
unsigned managed_user() {
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator("/run/user", missing)) {
    const auto uid = static_cast<unsigned>(atoi(entry.path().filename().c_str()));
    if (uid != 0 && fs::exists(entry.path() / "systemd/private")) return uid;
  }
  return 0;
}

Need user_manager() {
  return {managed_user() != 0, "needs a user with a systemd manager of his own"};
}

// A container of that user, and the way he has its cgroup made.
class Owned {
 public:
  explicit Owned(bool by_systemd) : by_systemd_(by_systemd), home_("home") {
    if (chown(home_.path().c_str(), uid_, uid_) != 0) throw std::runtime_error("chown");
    give_to(bundle, uid_).set_json("/linux/resources", R"({"pids": {"limit": 5}})");
    bundle.guest({"fork", "20", "--", "pause"});
  }
  Outcome command(const Strings& words, const std::string& input = {}) const {
    Strings argv;
    // To put a process into a cgroup, one has to be in the part that is delegated oneself
    // (cgroup-v2.rst, "Delegation Containment"); when a unit is made, systemd does it.
    if (!by_systemd_ || words[0] == "exec") {
      argv = {"/usr/bin/systemd-run",    "--user", "--scope", "--quiet", "--collect",
              "--property=Delegate=yes", "--"};
    }
    for (const std::string& word : runtime_command(words)) argv.push_back(word);
    Spawn spawn = as_user();
    spawn.input = input;
    if (words[0] == "create") {
      spawn.out = output_;
      spawn.err = std::make_shared<Capture>();
    }
    return run_program(argv, spawn);
  }
  Strings runtime_command(const Strings& words) const {
    Strings argv = {runtime_path(), "--root", root().string()};
    if (by_systemd_) argv.emplace_back("--systemd-cgroup");
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
  }
  Spawn as_user() const {
    Spawn spawn;
    spawn.user = uid_;
    const std::string directory = "/run/user/" + std::to_string(uid_);
    spawn.environment = {"XDG_RUNTIME_DIR=" + directory,
                         "DBUS_SESSION_BUS_ADDRESS=unix:path=" + directory + "/bus"};
    return spawn;
  }
  // Until the container's program has tried to fork.
  void start() {
    bundle.write();
    const Outcome created = command({"create", "--bundle", bundle.path().string(), id});
    REQUIRE_MESSAGE(created.ok(), created.err);
    const Outcome started = command({"start", id});
    REQUIRE_MESSAGE(started.ok(), started.err);
    REQUIRE(eventually([&] { return contains(output_->text(), "ready"); }));
  }
  Outcome update(const std::string& resources) {
    return command({"update", "--resources", "-", id}, resources);
  }
  Outcome exec(const Strings& words) {
    Strings all = {"exec", id, "/bin/guest"};
    all.insert(all.end(), words.begin(), words.end());
    return command(all);
  }
  std::string state(const char* key) {
    const rapidjson::Document document = parse_json(command({"state", id}).out);
    if (!document.HasMember(key)) return "";
    return document[key].IsInt() ? std::to_string(document[key].GetInt())
                                 : document[key].GetString();
  }
  fs::path cgroup() { return cgroup_directory(atoi(state("pid").c_str()), ""); }
  std::string output() const { return output_->text(); }
  fs::path root() const { return home_.path() / "state"; }
  std::string manager() const { return "/user@" + std::to_string(uid_) + ".service/"; }

  const std::string id = tag() + "-owned";
  Bundle bundle;

 private:
  const unsigned uid_ = managed_user();
  bool by_systemd_;
  ScratchDirectory home_;
  std::shared_ptr<Capture> output_ = std::make_shared<Capture>();
};

}  // namespace

TEST_SUITE_BEGIN("rootless_cgroup");

CASE("an ordinary user's limits bite, and update moves them") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(user_manager());
  for (const bool by_systemd : {true, false}) {
    CAPTURE(by_systemd);
    Owned owned(by_systemd);
    owned.bundle.set_json("/linux/resources/memory", R"({"limit": 33554432, "swap": 33554432})");
    owned.start();
    CHECK(contains(owned.cgroup().string(), owned.manager()));
    CHECK(value_of(owned.output(), "fork") == "4 EAGAIN");
    CHECK(owned.exec({"eat-memory", "134217728"}).status == 128 + SIGKILL);
    CHECK(owned.update(R"({"pids": {"limit": 9}})").ok());
    CHECK(owned.exec({"fork", "20"}).out == "fork 7 EAGAIN\n");
    CHECK(read_file(owned.cgroup() / "memory.max") == "33554432\n");
    CHECK(owned.command({"delete", "--force", owned.id}).ok());
  }
}

CASE("an ordinary user pauses, resumes, signals and deletes what is in his cgroup") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(user_manager());
  for (const bool by_systemd : {true, false}) {
    CAPTURE(by_systemd);
    Owned owned(by_systemd);
    owned.start();
    const fs::path cgroup = owned.cgroup();
    CHECK(owned.command({"pause", owned.id}).ok());
    CHECK(owned.state("status") == "paused");
    CHECK(read_file(cgroup / "cgroup.freeze") == "1\n");
    CHECK(owned.command({"resume", owned.id}).ok());
    CHECK(owned.state("status") == "running");
    CHECK(owned.command({"kill", "--all", owned.id, "KILL"}).ok());
    CHECK(eventually([&] { return owned.state("status") == "stopped"; }));
    CHECK(owned.command({"delete", owned.id}).ok());
    CHECK_FALSE(fs::exists(cgroup));
    CHECK_FALSE(fs::exists(owned.root() / owned.id));
  }
}

CASE("an exec from outside of what is the user's says where to call it") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(user_manager());
  EXCLUDES("runc", "1.1.5 executes it outside of the container's cgroup");
  Owned owned(true);
  owned.start();
  // The test is in a service of the system.
  const Outcome refused =
      run_program(owned.runtime_command({"exec", owned.id, "/bin/guest", "id"}), owned.as_user());
  CHECK_FALSE(refused.ok());
  CHECK(refused.out == "");
  if (is_onggi()) CHECK(contains(refused.err, "systemd-run --user --scope"));
  CHECK(owned.command({"delete", "--force", owned.id}).ok());
}

CASE("an ordinary user's scope is in the slice of his manager that was asked for") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(user_manager());
  Owned owned(true);
  owned.bundle.set("/linux/cgroupsPath", "user.slice:onggi:" + tag() + "-own");
  owned.start();
  CHECK(owned.cgroup().string().ends_with(owned.manager() + "user.slice/onggi-" + tag() +
                                          "-own.scope"));
  CHECK(owned.command({"delete", "--force", owned.id}).ok());
}

CASE("an ordinary user's create that fails leaves no unit and no cgroup") {
  REQUIRES(root());
  REQUIRES(cgroup_v2());
  REQUIRES(user_manager());
  for (const bool by_systemd : {true, false}) {
    CAPTURE(by_systemd);
    Owned owned(by_systemd);
    owned.bundle.set_json("/hooks/createContainer", R"([{"path": "/bin/false"}])").write();
    CHECK_FALSE(owned.command({"create", "--bundle", owned.bundle.path().string(), owned.id}).ok());
    CHECK_FALSE(fs::exists(owned.root() / owned.id));
  }
}

TEST_SUITE_END();
