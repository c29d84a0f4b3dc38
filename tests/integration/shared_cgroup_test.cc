// SPDX-License-Identifier: Apache-2.0
// Two containers with one linux.cgroupsPath: it is one's at a time, and whoever had it before has
// no power over it any more.
#include "support/hooked.h"
#include "support/suite.h"

#include <signal.h>
#include <time.h>

using namespace onggi::test;

namespace {

void pause_for(long microseconds) {
  const timespec time = {microseconds / 1'000'000, microseconds % 1'000'000 * 1000};
  nanosleep(&time, nullptr);
}

void share_path(Bundle& bundle) {
  bundle.set("/linux/cgroupsPath", "/" + tag() + "-shared");
}

// A container in the shared cgroup that goes on while another is signalled and deleted.
struct Second {
  Second() {
    share_path(bundle);
    bundle.guest({"pause"});
  }
  void start() {
    REQUIRE(container.create().ok());
    REQUIRE(container.start().ok());
    REQUIRE(container.wait_output("ready"));
  }
  Bundle bundle;
  Container container{bundle};
};

}  // namespace

TEST_SUITE_BEGIN("shared_cgroup");

CASE("signals to a stopped container and its removal do not meet the next one in its cgroup") {
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  DEVIATES("runc", "1.1.5 kills what is in the cgroup");
  DEVIATES("crun", "1.8.1 kills what is in the cgroup");
  for (const bool force : {false, true}) {
    CAPTURE(force);
    Bundle bundle;
    share_path(bundle);
    bundle.guest({"pause"});
    Container first(bundle);
    REQUIRE(first.create().ok());
    const pid_t pid = first.pid();
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(first.wait_exit(pid) > 0);
    CHECK(first.wait_status("stopped"));
    Second second;
    second.start();
    if (is_onggi()) CHECK(runtime({"ps", "--format", "json", first.id()}).out == "[]\n");
    (void)runtime({"kill", "--all", first.id(), "KILL"});
    CHECK(first.remove(force).ok());
    CHECK(first.status().empty());
    CHECK(second.container.status() == "running");
    CHECK(second.container.remove(true).ok());
  }
}

CASE("the removal of a container whose create was killed does not, either") {
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(onggi_only());  // whose parent is the runtime in a hook, and what a killed create leaves
  Hooked hooked;
  share_path(hooked.bundle());
  hooked.add_json("createRuntime", R"({"path": "/bin/sh", "args": ["sh", "-c", "kill -9 $PPID"]})");
  Container first(hooked.bundle());
  CHECK(first.create().status == 128 + SIGKILL);
  REQUIRE(eventually([] { return descendants().empty(); }));
  Second second;
  second.start();
  CHECK(first.remove(true).ok());
  CHECK(first.status().empty());
  CHECK(second.container.status() == "running");
}

CASE("of two creates at once, one has the cgroup") {
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(onggi_only());
  for (int round = 0; round < 10; round++) {
    Second first, second;
    first.bundle.write();
    second.bundle.write();
    Process creating(first.container.create_command());
    Process also(second.container.create_command());
    const Outcome one = creating.wait(), other = also.wait();
    CHECK_FALSE((one.ok() && other.ok()));
    for (const Outcome& outcome : {one, other}) {
      if (!outcome.ok()) CHECK(contains(outcome.err, "is in use"));
    }
    CHECK(first.container.remove(true).ok());
    CHECK(second.container.remove(true).ok());
  }
}

CASE("a create that is killed at any moment leaves the other's container alone") {
  REQUIRES(root());
  REQUIRES(cgroups_by_path());
  REQUIRES(onggi_only());
  for (long attempt = 0; attempt < 20; attempt++) {
    CAPTURE(attempt);
    Second killed, other;
    killed.bundle.write();
    Process creating(killed.container.create_command());
    pause_for(attempt * 300);
    creating.kill(SIGKILL);
    const bool made = other.container.create().ok();
    (void)creating.wait();
    CHECK(killed.container.remove(true).ok());
    if (made) CHECK(other.container.status() == "created");
    CHECK(other.container.remove(true).ok());
  }
}

TEST_SUITE_END();
