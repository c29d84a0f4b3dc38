// SPDX-License-Identifier: Apache-2.0
// The drivers against this machine's real cgroups, below /onggi-test-<pid>. Needs root; skips
// loudly without.
#include "cgroups/driver.h"

#include "cgroups/device_program.h"
#include "cgroups/probe.h"
#include "plan/build_cgroup.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>

namespace {

using namespace onggi;

plan::HostFacts probed() {
  plan::HostFacts facts;
  facts.euid = geteuid();
  const Result<> result = cgroups::probe(facts);
  REQUIRE(result);
  return facts;
}

bool cannot_make_cgroups() {
  const plan::HostFacts facts = probed();
  if (!facts.cgroups.empty()) {
    const std::string path =
        facts.cgroups[0].mount_point + "/onggi-test-probe-" + std::to_string(getpid());
    if (mkdir(path.c_str(), 0755) == 0) {
      rmdir(path.c_str());
      return false;
    }
  }
  MESSAGE("SKIPPED: no cgroup can be made here");
  return true;
}

std::string top() {
  return "/onggi-test-" + std::to_string(getpid());
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}
bool exists(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0;
}
void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

plan::CgroupPlan planned(const std::string& path, spec::Resources resources = {}) {
  spec::Spec spec;
  spec.linux.cgroups_path = path;
  spec.linux.resources = std::move(resources);
  auto plan = plan::build_cgroup(spec, probed(), "test", plan::CgroupRequest::cgroupfs);
  REQUIRE(plan);
  return std::move(plan).value();
}

std::string message(const Error& error) {
  return std::string(error.place.view()) + ": " + std::string(error.message.view());
}
template <class T>
void require(const Result<T>& result) {
  if (!result) FAIL(message(result.error()) << " errno " << result.error().errnum);
}

// A process that is born in the unified cgroup, puts itself into the others, runs `body` and
// sleeps.
pid_t start_in(
    const cgroups::Membership& membership, const std::function<void()>& body = [] {}) {
  int ready[2];
  REQUIRE(pipe2(ready, O_CLOEXEC) == 0);
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.flags = CLONE_CLEAR_SIGHAND;  // the test framework catches signals
  if (membership.unified) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<__u64>(membership.unified.get());
  }
  const auto pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
  REQUIRE(pid >= 0);
  if (pid == 0) {
    for (const UniqueFd& tasks : membership.tasks) {
      if (write(tasks.get(), "0", 1) != 1) _exit(2);
    }
    body();
    (void)!write(ready[1], "", 1);
    for (;;) pause();
  }
  close(ready[1]);
  char byte = 0;
  REQUIRE(read(ready[0], &byte, 1) == 1);
  close(ready[0]);
  return pid;
}
int end_of(pid_t pid) {
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  return status;
}

TEST_CASE("probe finds the hierarchies of /proc/self/cgroup") {
  const plan::HostFacts facts = probed();
  if (facts.cgroup_layout == plan::CgroupLayout::none) {
    MESSAGE("SKIPPED: no cgroups here");
    return;
  }
  size_t unified = 0;
  for (const plan::CgroupHierarchy& hierarchy : facts.cgroups) {
    CHECK(exists(hierarchy.mount_point + "/cgroup.procs"));
    CHECK(hierarchy.own_path.starts_with('/'));
    CHECK(exists(hierarchy.mount_point + "/cgroup.controllers") == hierarchy.unified);
    unified += hierarchy.unified;
  }
  CHECK(std::ranges::is_sorted(facts.cgroups, {}, &plan::CgroupHierarchy::mount_point));
  CHECK(unified == (facts.cgroup_layout == plan::CgroupLayout::v1 ? 0 : 1));
}

TEST_CASE(
    "a cgroup is made in all hierarchies, joined, emptied and removed with the parents made for "
    "it") {
  if (cannot_make_cgroups()) return;
  spec::Resources resources;
  resources.memory.emplace().limit = 64 << 20;
  resources.pids_limit = 100;
  resources.cpu.emplace().shares = 512;
  resources.cpu->quota = 50000;
  resources.cpu->period = 20000;
  const plan::CgroupPlan plan = planned(top() + "/a/b", std::move(resources));
  auto group = cgroups::check_unused(plan);
  require(group);
  auto membership = cgroups::create(plan, "");
  require(membership);
  for (const cgroups::GroupDirectory& directory : group->directories) {
    CHECK(directory.kept == 0);
    CHECK(exists(directory.full_path()));
  }
  for (const plan::CgroupSetting& setting : plan.settings) {
    if (setting.file.starts_with("devices.") || setting.ignore_missing) continue;
    const plan::CgroupDirectory& directory = plan.directories[setting.directory];
    CHECK(content(directory.mount_point + directory.path + "/" + setting.file) ==
          setting.value + "\n");
  }

  const pid_t pid = start_in(*membership);
  const std::string joined = content("/proc/" + std::to_string(pid) + "/cgroup");
  std::istringstream lines(joined);
  for (std::string line; std::getline(lines, line);) {
    const bool found = line.ends_with(":" + top() + "/a/b");
    // Hierarchies that are mounted elsewhere (or nowhere) are not the container's.
    if (line.starts_with("0::") ? bool(membership->unified) : !line.ends_with(":/"))
      CHECK_MESSAGE(found, line);
  }
  auto inside = cgroups::processes(*group);
  require(inside);
  CHECK(*inside == std::vector<int>{pid});

  const auto used = cgroups::check_unused(plan);
  REQUIRE_FALSE(used);
  CHECK(message(used.error()).find("is in use by process " + std::to_string(pid)) !=
        std::string::npos);

  auto again = cgroups::open_group(*group);
  require(again);
  CHECK(again->tasks.size() == membership->tasks.size());

  require(cgroups::signal_all(*group, SIGTERM));
  CHECK(WTERMSIG(end_of(pid)) == SIGTERM);
  require(cgroups::remove(*group));
  for (const cgroups::GroupDirectory& directory : group->directories)
    CHECK_FALSE(exists(directory.mount_point + top()));
  require(cgroups::remove(*group));
}

TEST_CASE("parents that were there before stay, and those in use by others too") {
  if (cannot_make_cgroups()) return;
  const plan::CgroupPlan outer_plan = planned(top() + "/pod");
  auto outer = cgroups::check_unused(outer_plan);
  require(outer);
  require(cgroups::create(outer_plan, ""));
  const plan::CgroupPlan plan = planned(top() + "/pod/x/web");
  const plan::CgroupPlan other_plan = planned(top() + "/pod/x/db");
  auto group = cgroups::check_unused(plan);
  require(group);
  CHECK(group->directories[0].kept == (top() + "/pod").size());
  require(cgroups::create(plan, ""));
  require(cgroups::create(other_plan, ""));
  require(cgroups::remove(*group));
  const std::string pod = outer->directories[0].mount_point + top() + "/pod";
  CHECK_FALSE(exists(pod + "/x/web"));
  CHECK(exists(pod + "/x/db"));
  cgroups::Group other = *group;
  for (auto& directory : other.directories) directory.path = top() + "/pod/x/db";
  require(cgroups::remove(other));
  CHECK_FALSE(exists(pod + "/x"));
  CHECK(exists(pod));
  require(cgroups::remove(*outer));
}

TEST_CASE("a refused setting names field, file and value, and leaves nothing behind") {
  if (cannot_make_cgroups()) return;
  plan::CgroupPlan plan = planned(top());
  plan::CgroupSetting setting;
  setting.file = "cgroup.procs";
  setting.value = "nonsense";
  setting.place = "linux.resources.memory.limit";
  plan.settings.push_back(setting);
  const auto made = cgroups::create(plan, "");
  REQUIRE_FALSE(made);
  CHECK(message(made.error()) == "linux.resources.memory.limit: write 'cgroup.procs' 'nonsense'");
  CHECK(made.error().errnum == EINVAL);
  for (const plan::CgroupDirectory& directory : plan.directories) {
    CHECK_FALSE(exists(directory.mount_point + directory.path));
  }
  plan.settings.back().file = "memory.nothing";
  plan.settings.back().missing_hint = "the cure";
  const auto missing = cgroups::create(plan, "");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().hint.view() == "the cure");
  plan.settings.back().ignore_missing = true;
  require(cgroups::create(plan, ""));
  require(cgroups::remove({{{plan.directories[0].mount_point, plan.directories[0].path}}}));
  for (const plan::CgroupDirectory& directory : plan.directories) {
    require(cgroups::remove({{{directory.mount_point, directory.path}}}));
  }
}

TEST_CASE(
    "a setting is written again, last, when another stood in its way; the other file serves a "
    "missing one") {
  if (cannot_make_cgroups()) return;
  plan::HostFacts facts = probed();
  spec::Resources small;
  small.cpu.emplace().quota = 10000;
  small.cpu->period = 20000;
  const plan::CgroupPlan plan = planned(top(), std::move(small));
  auto group = cgroups::check_unused(plan);
  require(group);
  require(cgroups::create(plan, ""));
  spec::Resources larger;  // the burst is above the old quota
  larger.cpu.emplace().quota = 100000;
  larger.cpu->burst = 50000;
  plan::CgroupPlan changed = planned(top(), std::move(larger));
  changed.settings.push_back(changed.settings.back());
  changed.settings.back().other_file = changed.settings.back().file;
  changed.settings.back().other_value = changed.settings.back().value;
  changed.settings.back().file = "cpu.nothing";
  require(cgroups::create(changed, ""));
  require(cgroups::remove(*group));
}

void set_frozen(const cgroups::Group& group, bool frozen) {
  for (const auto& directory : group.directories) {
    if (directory.freezer)
      write_text(directory.full_path() + "/freezer.state", frozen ? "FROZEN" : "THAWED");
    if (group.directories.size() == 1)
      write_text(directory.full_path() + "/cgroup.freeze", frozen ? "1" : "0");
  }
}

TEST_CASE(
    "a cgroup that is there is taken if it is empty, but not if it is frozen (checklist 32)") {
  if (cannot_make_cgroups()) return;
  const plan::CgroupPlan plan = planned(top());
  auto group = cgroups::check_unused(plan);
  require(group);
  require(cgroups::create(plan, ""));
  require(cgroups::check_unused(plan));
  require(cgroups::create(plan, ""));
  set_frozen(*group, true);
  auto refused = cgroups::check_unused(plan);
  REQUIRE_FALSE(refused);
  CHECK(message(refused.error()).find("is frozen") != std::string::npos);
  set_frozen(*group, false);
  require(cgroups::remove(*group));
}

TEST_CASE("remove ends what is left, in sub-cgroups and frozen too (checklist 28)") {
  if (cannot_make_cgroups()) return;
  const plan::CgroupPlan plan = planned(top());
  auto group = cgroups::check_unused(plan);
  require(group);
  auto membership = cgroups::create(plan, "");
  require(membership);
  std::vector<std::string> subs;
  for (const auto& directory : group->directories) {
    const std::string sub = directory.full_path() + "/sub";
    REQUIRE(mkdir(sub.c_str(), 0755) == 0);
    REQUIRE(mkdir((sub + "/deeper").c_str(), 0755) == 0);
    subs.push_back(sub);
  }
  const pid_t first = start_in(*membership);
  const pid_t second = start_in(*membership, [&] {
    for (const auto& directory : group->directories) {
      if (directory.mount_point.ends_with("/cpuset")) continue;
      write_text(directory.full_path() + "/sub/deeper/cgroup.procs", "0");
    }
  });
  auto inside = cgroups::processes(*group);
  require(inside);
  std::ranges::sort(*inside);
  CHECK(*inside == std::vector<int>{std::min(first, second), std::max(first, second)});
  set_frozen(*group, true);
  auto is_frozen = cgroups::frozen(*group);
  require(is_frozen);
  CHECK(*is_frozen);
  require(cgroups::remove(*group));
  CHECK(WTERMSIG(end_of(first)) == SIGKILL);
  CHECK(WTERMSIG(end_of(second)) == SIGKILL);
  for (const auto& directory : group->directories) CHECK_FALSE(exists(directory.full_path()));
}

TEST_CASE("SIGKILL to all outruns a process that keeps forking") {
  if (cannot_make_cgroups()) return;
  spec::Resources resources;
  resources.pids_limit = 50;
  const plan::CgroupPlan plan = planned(top(), std::move(resources));
  auto group = cgroups::check_unused(plan);
  require(group);
  // Once as v2 (if it is there), once by the v1 freezer, once by the walk alone.
  for (int way = 0; way < 3; way++) {
    auto membership = cgroups::create(plan, "");
    require(membership);
    cgroups::Group part = *group;
    if (way == 1)
      std::erase_if(part.directories, [](const auto& directory) { return directory.unified; });
    if (way == 2) {
      std::erase_if(part.directories,
                    [](const auto& directory) { return directory.unified || directory.freezer; });
    }
    if (part.directories.empty()) break;
    const pid_t pid = start_in(*membership, [] {
      for (int i = 0; i < 20; i++) {
        if (fork() == 0) {
          for (;;) {
            const pid_t child = fork();
            if (child > 0) _exit(0);
          }
        }
      }
    });
    if (way != 2) {  // without a freezer, only remove() tries until it succeeds
      require(cgroups::signal_all(part, SIGKILL));
      CHECK(WTERMSIG(end_of(pid)) == SIGKILL);
      for (int i = 0; i < 1000; i++) {
        auto inside = cgroups::processes(*group);
        require(inside);
        if (inside->empty()) break;
        usleep(1000);
      }
      CHECK(cgroups::processes(*group)->empty());
    }
    require(cgroups::remove(*group));
    if (way == 2) (void)end_of(pid);
  }
}

TEST_CASE("device rules are in force") {
  if (cannot_make_cgroups() || !exists("/dev/kmsg")) return;
  const plan::CgroupPlan plan = planned(top());
  auto group = cgroups::check_unused(plan);
  require(group);
  auto membership = cgroups::create(plan, "");
  require(membership);
  const pid_t pid = start_in(*membership, [] {
    if (open("/dev/null", O_RDWR) < 0) _exit(3);
    if (open("/dev/kmsg", O_RDONLY) >= 0 || errno != EPERM) _exit(4);
  });
  if (membership->unified && plan.device_program) {
    require(cgroups::attach_device_program(membership->unified.get(), {true, {}}, false));
    const pid_t allowed = start_in(*membership, [] {
      if (open("/dev/kmsg", O_RDONLY) < 0) _exit(5);
    });
    kill(allowed, SIGKILL);
    CHECK(WTERMSIG(end_of(allowed)) == SIGKILL);
  }
  kill(pid, SIGKILL);
  CHECK(WTERMSIG(end_of(pid)) == SIGKILL);
  require(cgroups::remove(*group));
}

TEST_CASE(
    "an optional cgroup that an ordinary user may not make is left out, any other is an error") {
  if (cannot_make_cgroups()) return;
  const pid_t pid = fork();
  if (pid == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    spec::Spec spec;
    const auto optional = plan::build_cgroup(spec, probed(), "t", plan::CgroupRequest::cgroupfs);
    const auto made = cgroups::create(optional.value(), "");
    if (!made || !made.value().empty()) _exit(2);
    spec.linux.cgroups_path = "/onggi-test-user";
    const auto asked = plan::build_cgroup(spec, probed(), "t", plan::CgroupRequest::cgroupfs);
    const auto refused = cgroups::create(asked.value(), "");
    if (refused || refused.error().errnum != EACCES) _exit(3);
    if (refused.error().place.view() != "linux.cgroupsPath") _exit(4);
    _exit(0);
  }
  CHECK(end_of(pid) == 0);
}

}  // namespace
