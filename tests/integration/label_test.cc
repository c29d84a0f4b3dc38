// SPDX-License-Identifier: Apache-2.0
// AppArmor profiles and SELinux labels, on hosts whose security module is in force and on those
// whose is not.
#include "support/suite.h"

using namespace onggi::test;

namespace {

Need without(const Need& need, const std::string& name) {
  return {!need.met, "needs a host without " + name};
}

// A profile that lets everything but one file be read, in the kernel while it lives.
class Profile {
 public:
  explicit Profile(const std::string& denied) {
    text_ =
        "profile " + name() +
        " flags=(attach_disconnected) { file, capability, network, unix, signal, ptrace, deny " +
        denied + " r, }\n";
    loaded_ = parser("--replace").ok();
  }
  ~Profile() {
    if (loaded_) (void)parser("--remove");
  }
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  static std::string name() { return tag() + "-profile"; }
  bool loaded() const { return loaded_; }

 private:
  Outcome parser(const std::string& action) const {
    Spawn spawn;
    spawn.input = text_;
    return run_program({"/sbin/apparmor_parser", action, "--skip-cache"}, spawn);
  }
  std::string text_;
  bool loaded_ = false;
};

void check_refused(const std::string& pointer, const std::string& place) {
  Bundle bundle;
  const Outcome refused = create(bundle.set(pointer, "any:any:any:s0"));
  CHECK(refused.status == 1);
  if (is_onggi()) CHECK(contains(refused.err, place));
}

}  // namespace

TEST_SUITE_BEGIN("label");

CASE("an AppArmor profile is that of the program (checklist 18)") {
  REQUIRES(root());
  REQUIRES(apparmor());
  REQUIRES(file("/sbin/apparmor_parser"));
  const Profile profile("/secret");
  REQUIRE(profile.loaded());
  Bundle bundle;
  write_file(bundle.rootfs() / "secret", "");
  bundle.set("/process/apparmorProfile", Profile::name());
  bundle.guest({"cat", "/proc/self/attr/current", "--", "open", "/secret", "r"});
  const Outcome outcome = run(bundle);
  CHECK(outcome.err == "");
  CHECK(contains(outcome.out, Profile::name() + " (enforce)\n"));
  CHECK(contains(outcome.out, "open /secret: EACCES"));
}

CASE("an AppArmor profile that is not loaded is an error in podman's words (checklist 18)") {
  REQUIRES(root());
  REQUIRES(apparmor());
  Bundle bundle;
  bundle.guest({"echo", "unconfined"}).set("/process/apparmorProfile", tag() + "-no-such-profile");
  const Outcome outcome = run(bundle);
  CHECK_FALSE(outcome.ok());
  CHECK(outcome.out.empty());
  if (!is_onggi()) return;
  CHECK(contains(outcome.err, "process.apparmorProfile: "));
  CHECK(contains(outcome.err, "`/proc/self/attr/apparmor/exec`"));
}

CASE("an AppArmor profile is refused where AppArmor is not in force (checklist 18)") {
  REQUIRES(root());
  REQUIRES(without(apparmor(), "AppArmor"));
  check_refused("/process/apparmorProfile",
                "process.apparmorProfile: AppArmor is not enabled on this host");
}

CASE("an SELinux label is that of the program and of its session keyring (checklist 19)") {
  REQUIRES(root());
  REQUIRES(selinux());
  const std::string mine = read_file("/proc/self/attr/current");
  const std::string label = mine.substr(0, mine.find('\0'));
  Bundle bundle;
  bundle.set("/process/selinuxLabel", label);
  const Outcome outcome = run(bundle.guest({"cat", "/proc/self/attr/current", "--", "key-label"}));
  CHECK(outcome.err == "");
  CHECK(outcome.out.starts_with(label));
  CHECK(contains(outcome.out, "key-label " + label));
}

CASE("SELinux labels are refused where SELinux is not in force (checklist 19)") {
  REQUIRES(root());
  REQUIRES(without(selinux(), "SELinux"));
  check_refused("/process/selinuxLabel",
                "process.selinuxLabel: SELinux is not enabled on this host");
}

TEST_SUITE_END();
