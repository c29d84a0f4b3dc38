// SPDX-License-Identifier: Apache-2.0
// A runtime that is killed at any moment must leave nothing that a later `delete --force` cannot
// remove.
#include "support/suite.h"

#include <signal.h>
#include <time.h>

using namespace onggi::test;

namespace {

void pause_for(long microseconds) {
  const timespec time = {microseconds / 1'000'000, microseconds % 1'000'000 * 1000};
  nanosleep(&time, nullptr);
}

constexpr const char* kKilledCreate =
    "a killed create leaves processes, cgroups or mounts that delete cannot find";

}  // namespace

TEST_SUITE_BEGIN("crash");

CASE(
    "a create that is killed at any moment leaves nothing after delete --force, and the id is "
    "free") {
  REQUIRES(root());
  EXCLUDES("runc", kKilledCreate);
  EXCLUDES("crun", kKilledCreate);
  Bundle bundle;
  bundle.guest({"pause"}).write();
  const Snapshot before;
  // The delays sweep over the whole of a create (a few milliseconds), finer at its beginning.
  for (long attempt = 0; attempt < 60; attempt++) {
    const long delay = attempt < 40 ? attempt * 150 : attempt * 400;
    CAPTURE(delay);
    Container container(bundle);
    Process creating(container.create_command());
    pause_for(delay);
    creating.kill(SIGKILL);
    (void)creating.wait();
    CHECK(container.remove(true).ok());
    const Strings left = before.left_behind();
    CHECK_MESSAGE(left.empty(), (left.empty() ? "" : left[0]));
    if (!left.empty()) before.clean_up();
    CHECK(container.create().ok());
    CHECK(container.remove(true).ok());
  }
}

CASE("a create of the same id after a killed one works, or says that delete is needed") {
  REQUIRES(root());
  EXCLUDES("runc", kKilledCreate);
  EXCLUDES("crun", kKilledCreate);
  Bundle bundle;
  bundle.guest({"pause"}).write();
  for (long attempt = 0; attempt < 10; attempt++) {
    Container container(bundle);
    Process creating(container.create_command());
    pause_for(attempt * 500);
    creating.kill(SIGKILL);
    (void)creating.wait();
    const Outcome again = container.create();
    if (!again.ok()) CHECK(contains(again.err, container.id()));
    CHECK(container.remove(true).ok());
    CHECK(container.create().ok());
    CHECK(container.remove(true).ok());
  }
}

CASE("a start that is killed leaves a container that can be deleted") {
  REQUIRES(root());
  EXCLUDES("crun", "1.8.1 leaves a process behind at times");
  Bundle bundle;
  bundle.guest({"pause"});
  for (long attempt = 0; attempt < 10; attempt++) {
    Container container(bundle);
    REQUIRE(container.create().ok());
    Process starting(runtime_command({"start", container.id()}));
    pause_for(attempt * 200);
    starting.kill(SIGKILL);
    (void)starting.wait();
    CHECK_FALSE(container.status().empty());
    CHECK(container.remove(true).ok());
  }
}

CASE("a delete that is killed can be repeated") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"});
  for (long attempt = 0; attempt < 20; attempt++) {
    Container container(bundle);
    REQUIRE(container.create().ok());
    Process deleting(runtime_command({"delete", "--force", container.id()}));
    pause_for(attempt * 200);
    deleting.kill(SIGKILL);
    (void)deleting.wait();
    CHECK(container.remove(true).ok());
    CHECK(container.status().empty());
  }
}

CASE("a foreground run that is killed leaves a container that can be deleted") {
  REQUIRES(root());
  Bundle bundle;
  bundle.guest({"pause"}).write();
  const Container container(bundle);
  Process running(runtime_command({"run", "--bundle", bundle.path().string(), container.id()}));
  REQUIRE(eventually([&] { return contains(running.output(), "ready"); }));
  running.kill(SIGKILL);
  (void)running.wait();
  CHECK(container.remove(true).ok());
  CHECK(container.status().empty());
}

CASE("delete --force works after the first process was killed behind the runtime's back") {
  REQUIRES(root());
  Bundle bundle;
  Container container(bundle);
  REQUIRE(container.create().ok());
  kill(container.pid(), SIGKILL);
  CHECK(container.wait_status("stopped"));
  CHECK(container.remove().ok());
}

CASE("a failing create leaves nothing, whatever step fails") {
  REQUIRES(root());
  DEVIATES("crun", "1.8.1 leaves the cgroups of a failed create behind");
  struct Row {
    std::string pointer, value;
  };
  for (const Row& row :
       {Row{"/process/args/0", R"("/no/such/program")"}, Row{"/process/cwd", R"("/bin/guest")"},
        Row{"/mounts/3/type", R"("nosuchfs")"},
        Row{"/mounts/6/destination", R"("/bin/guest/below")"},
        Row{"/linux/namespaces/1/path", R"("/no/such/namespace")"},
        Row{"/linux/resources/cpu/cpus", R"("4000")"},
        Row{"/linux/sysctl", R"({"net.no.such.name": "1"})"},
        Row{"/linux/devices", R"([{"type":"c","path":"/bin/guest","major":1,"minor":3}])"},
        Row{"/process/rlimits/0/hard", "1"}}) {
    CAPTURE(row.pointer);
    Bundle bundle;
    bundle.set_json(row.pointer, row.value);
    const Outcome outcome = run(bundle);
    if (is_onggi() || row.pointer != "/linux/devices") CHECK_FALSE(outcome.ok());
  }
}

TEST_SUITE_END();
