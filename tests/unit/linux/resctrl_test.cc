// SPDX-License-Identifier: Apache-2.0
// On a directory tree with the files of resctrl: the kernel makes them in a new group, here the
// test does.
#include "linux/resctrl.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace onggi {
namespace {

namespace fs = std::filesystem;

class FakeResctrl {
 public:
  FakeResctrl() : root_(fs::temp_directory_path() / ("onggi-resctrl-" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_ / "info");
    write("info/last_cmd_status", "ok\n");
    fill("", "    MB:0=100;1=100\n    L3:0=00fff;1=00fff\n");
  }
  ~FakeResctrl() { fs::remove_all(root_); }
  FakeResctrl(const FakeResctrl&) = delete;
  FakeResctrl& operator=(const FakeResctrl&) = delete;

  // What the kernel puts into a new group.
  void fill(const std::string& group, const std::string& schemata) const {
    const fs::path directory = group;  // "" is the root
    fs::create_directories(root_ / directory / "mon_groups");
    write(directory / "schemata", schemata);
    write(directory / "tasks", "");
  }
  void write(const fs::path& file, const std::string& text) const {
    std::ofstream(root_ / file) << text;
  }
  std::string read(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(root_ / file).rdbuf();
    return text.str();
  }
  bool has(const std::string& file) const { return fs::exists(root_ / file); }
  std::string path(const std::string& file) const { return (root_ / file).string(); }

  plan::ResctrlPlan plan(const std::string& group, const std::vector<plan::Schema>& schemata = {},
                         const std::string& monitor = "") const {
    return {.mount_point = root_.string(),
            .group = group,
            .monitor = monitor,
            .schemata = schemata,
            .create = true,
            .remove = true};
  }

 private:
  fs::path root_;
};

std::string error_of(const Error& error) {
  return std::string(error.place.view()) + ": " + error.message.c_str();
}

TEST_CASE("resctrl is found where it is mounted") {
  CHECK(resctrl::find_mount("proc /proc proc rw 0 0\nresctrl /sys/fs/resctrl resctrl rw 0 0\n") ==
        "/sys/fs/resctrl");
  CHECK(resctrl::find_mount("resctrl /a tmpfs rw 0 0\n") == "");
  CHECK(resctrl::find_mount("") == "");
}

TEST_CASE("a class that is missing is made, gets its schemata and the process, and is removed") {
  const FakeResctrl host;
  const plan::ResctrlPlan plan =
      host.plan("web", {{"linux.intelRdt.schemata[0]", "L3:0=f"}}, "web");
  auto directories = resctrl::check(plan);
  REQUIRE(directories);
  CHECK(*directories ==
        std::vector<std::string>{host.path("web"), host.path("web/mon_groups/web")});
  CHECK_FALSE(host.has("web"));
  // The kernel makes mon_groups with the class.
  REQUIRE(resctrl::make({host.path("web")}));
  host.fill("web", "");
  REQUIRE(resctrl::make({host.path("web/mon_groups/web")}));
  host.write("web/mon_groups/web/tasks", "");
  REQUIRE(resctrl::write_schemata(plan));
  CHECK(host.read("web/schemata") == "L3:0=f\n");
  REQUIRE(resctrl::add(plan, 4711));
  CHECK(host.read("web/tasks") == "4711");
  CHECK(host.read("web/mon_groups/web/tasks") == "4711");
  CHECK(resctrl::removed_with_container(plan, *directories) == *directories);
  fs::remove(host.path("web/mon_groups/web/tasks"));
  for (const char* file : {"web/schemata", "web/tasks"}) fs::remove(host.path(file));
  REQUIRE(resctrl::remove({host.path("web/mon_groups/web")}));
  fs::remove(host.path("web/mon_groups"));
  REQUIRE(resctrl::remove(*directories));
  CHECK_FALSE(host.has("web"));
  CHECK(resctrl::remove(*directories));  // gone is no error
}

TEST_CASE("only the MON group goes with a container whose class has a closID") {
  const FakeResctrl host;
  plan::ResctrlPlan plan = host.plan("gold", {{"", "L3:0=f"}}, "web");
  plan.remove = false;
  auto directories = resctrl::check(plan);
  REQUIRE(directories);
  CHECK(directories->size() == 2);
  CHECK(resctrl::removed_with_container(plan, *directories) ==
        std::vector<std::string>{host.path("gold/mon_groups/web")});
}

TEST_CASE("a class that is there is taken only with the same schemata") {
  const FakeResctrl host;
  host.fill("gold", "    MB:0= 20;1= 70\n    L3:0=007f0;1=0001f\n");
  const auto verdict = [&](const std::string& schema) {
    const auto checked =
        resctrl::check(host.plan("gold", {{"linux.intelRdt.schemata[0]", schema}}));
    if (!checked) return error_of(checked.error());
    CHECK(checked->empty());
    return std::string("ok");
  };
  for (const char* same : {"L3:0=7f0;1=1f", "L3:1=1F", "L3:0=007f0", "MB:0=20;1=70", "MB:1=070",
                           "L3:0=7f0\nMB:0=20"}) {
    CHECK(verdict(same) == "ok");
  }
  for (const char* other : {"L3:0=7f1", "L3:2=1f", "L2:0=f", "MB:0=2", "L3:0=7f0;1=1", "L3"}) {
    CAPTURE(other);
    CHECK(verdict(other) == std::string("linux.intelRdt.schemata[0]: '") + other +
                                "' differs from '" + host.path("gold/schemata") + "'");
  }
}

TEST_CASE("the default class is the root of resctrl") {
  const FakeResctrl host;
  const plan::ResctrlPlan plan = host.plan("", {{"linux.intelRdt.memBwSchema", "MB:0=100"}});
  auto directories = resctrl::check(plan);
  REQUIRE(directories);
  CHECK(directories->empty());
  REQUIRE(resctrl::add(plan, 12));
  CHECK(host.read("tasks") == "12");
  CHECK_FALSE(resctrl::check(host.plan("", {{"p", "MB:0=50"}})));
}

TEST_CASE("a closID without schemata has to be there") {
  const FakeResctrl host;
  plan::ResctrlPlan plan = host.plan("gold");
  plan.create = false;
  auto checked = resctrl::check(plan);
  REQUIRE_FALSE(checked);
  CHECK(error_of(checked.error()) ==
        "linux.intelRdt.closID: no class of service 'gold' in '" + plan.mount_point + "'");
  host.fill("gold", "");
  CHECK(resctrl::check(plan));
}

TEST_CASE("when a directory cannot be made, those before it go again") {
  const FakeResctrl host;
  host.fill("b", "");
  const Result<> made = resctrl::make({host.path("a"), host.path("b")});
  REQUIRE_FALSE(made);
  CHECK(made.error().errnum == EEXIST);
  CHECK(made.error().place.view() == "linux.intelRdt");
  CHECK_FALSE(host.has("a"));
  CHECK(host.has("b"));
}

TEST_CASE("a refused write has the kernel's reason") {
  const FakeResctrl host;
  host.write("info/last_cmd_status", "mask f000 has non-consecutive 1-bits\n");
  fs::create_directory(host.path("gold"));
  fs::create_directory(host.path("gold/schemata"));  // nobody can write to it
  const Result<> written =
      resctrl::write_schemata(host.plan("gold", {{"linux.intelRdt.l3CacheSchema", "L3:0=f0f"}}));
  REQUIRE_FALSE(written);
  CHECK(error_of(written.error()) == "linux.intelRdt.l3CacheSchema: open '" +
                                         host.path("gold/schemata") +
                                         "' (mask f000 has non-consecutive 1-bits)");
}

}  // namespace
}  // namespace onggi
