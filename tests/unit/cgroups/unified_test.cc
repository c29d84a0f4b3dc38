// SPDX-License-Identifier: Apache-2.0
// Controllers of cgroup v2: the order of enabling over plain files, and what the kernel refuses,
// in a v2 hierarchy of this machine. The latter needs root and a controller; skips loudly without.
#include "cgroups/unified.h"

#include "cgroups/probe.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace onggi;
namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Directories as cgroupfs has them.
class Tree {
 public:
  explicit Tree(const std::string& path) {
    char name[] = "/tmp/onggi-unified-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
    for (fs::path each = root_ / path;; each = each.parent_path()) {
      fs::create_directories(each);
      std::ofstream(each / "cgroup.subtree_control") << "";
      if (each == root_) break;
    }
  }
  ~Tree() { fs::remove_all(root_); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  std::string root() const { return root_; }
  std::string enabled(const std::string& path) const {
    return content(root_ / path / "cgroup.subtree_control");
  }

 private:
  fs::path root_;
};

TEST_CASE("controllers are enabled in every parent, never in the container's own (checklist 23)") {
  const Tree tree("a/b/c");
  const plan::CgroupController controllers[] = {{"memory", ""}, {"pids", ""}};
  REQUIRE(cgroups::unified::enable_controllers(tree.root(), "/a/b/c", controllers));
  for (const char* parent : {"", "a", "a/b"}) {
    CAPTURE(parent);
    CHECK(tree.enabled(parent) == "+memory +pids");
  }
  // With controllers for its children it could hold no processes (cgroup-v2.rst, "No Internal
  // Process Constraint").
  CHECK(tree.enabled("a/b/c").empty());
}

TEST_CASE("what is enabled already is not written again (checklist 23)") {
  const Tree tree("a");
  std::ofstream(tree.root() + "/cgroup.subtree_control") << "cpu pids\n";
  const plan::CgroupController controllers[] = {{"pids", ""}};
  REQUIRE(cgroups::unified::enable_controllers(tree.root(), "/a", controllers));
  CHECK(tree.enabled("") == "cpu pids\n");
}

// A parent cgroup on v2 below which nobody may enable a controller, and one of its controllers.
class Parent {
 public:
  Parent() {
    plan::HostFacts facts;
    REQUIRE(cgroups::probe(facts));
    for (const plan::CgroupHierarchy& each : facts.cgroups) {
      if (each.unified) mount_ = each.mount_point;
    }
    if (mount_.empty()) return;
    std::istringstream names(content(mount_ + "/cgroup.controllers"));
    names >> controller_;
    if (controller_.empty() || mkdir(directory().c_str(), 0755) != 0) controller_.clear();
  }
  ~Parent() {
    if (controller_.empty()) return;
    for (const char* child : {"/child", "/threads"}) (void)rmdir((directory() + child).c_str());
    (void)rmdir(directory().c_str());
  }
  Parent(const Parent&) = delete;
  Parent& operator=(const Parent&) = delete;

  bool usable() const { return !controller_.empty(); }
  std::string path() const { return "/onggi-test-unified-" + std::to_string(getpid()); }
  std::string directory() const { return mount_ + path(); }
  void write(const std::string& file, const std::string& text) const {
    std::ofstream(directory() + "/" + file) << text;
  }
  Result<> enable() const {
    REQUIRE(mkdir((directory() + "/child").c_str(), 0755) == 0);
    const plan::CgroupController controllers[] = {{controller_, "linux.resources.memory.limit"}};
    return cgroups::unified::enable_controllers(mount_, path() + "/child", controllers);
  }

 private:
  std::string mount_, controller_;
};

void check_refused(const Result<>& result, const char* hint) {
  REQUIRE_FALSE(result);
  CHECK(result.error().place.view() == "linux.resources.memory.limit");
  CHECK(result.error().message.view().find("cannot be enabled") != std::string_view::npos);
  CHECK(result.error().hint.view().find(hint) != std::string_view::npos);
}

TEST_CASE("a parent with processes of its own is named, with the cure (checklist 23)") {
  const Parent parent;
  if (!parent.usable()) {
    MESSAGE("SKIPPED: no v2 hierarchy with a controller here");
    return;
  }
  const pid_t inside = fork();
  if (inside == 0) {
    for (;;) pause();
  }
  parent.write("cgroup.procs", std::to_string(inside));
  check_refused(parent.enable(), "contains processes");
  kill(inside, SIGKILL);
  CHECK(waitpid(inside, nullptr, 0) == inside);
}

TEST_CASE("a threaded parent is named, with the cause (checklist 23)") {
  const Parent parent;
  if (!parent.usable()) {
    MESSAGE("SKIPPED: no v2 hierarchy with a controller here");
    return;
  }
  SUBCASE("itself") {
    parent.write("cgroup.type", "threaded");
  }
  SUBCASE("the root of threads") {
    REQUIRE(mkdir((parent.directory() + "/threads").c_str(), 0755) == 0);
    parent.write("threads/cgroup.type", "threaded");
  }
  check_refused(parent.enable(), "is threaded");
}

}  // namespace
