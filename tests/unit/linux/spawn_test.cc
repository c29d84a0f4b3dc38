// SPDX-License-Identifier: Apache-2.0
#include "linux/spawn.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace onggi {
namespace {

namespace fs = std::filesystem;

class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) setenv(name_, before_->c_str(), 1);
    if (!before_) unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// With two directories, in which programs are made.
class Scratch {
 public:
  Scratch() {
    std::string name = (fs::temp_directory_path() / "onggi-spawn-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    for (const char* directory : {"a", "b"}) fs::create_directory(path_ / directory);
  }
  ~Scratch() { fs::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return path_ / name; }
  std::string search() const { return path("none") + ":" + path("a") + ":" + path("b"); }
  void make(const std::string& name, const std::string& script, mode_t mode) const {
    std::ofstream(path_ / name) << script;
    REQUIRE(chmod(path(name).c_str(), mode) == 0);
  }

 private:
  fs::path path_;
};

int exit_status(const Result<Child>& child) {
  if (!child) return -child.error().errnum;
  int status = 0;
  REQUIRE(waitpid(child.value().pid, &status, 0) == child.value().pid);
  return WEXITSTATUS(status);
}

TEST_CASE("a program is found in PATH, behind one that may not be executed") {
  const Scratch scratch;
  const Variable path("PATH", scratch.search());
  scratch.make("b/program", "#!/bin/sh\nexit 3\n", 0755);
  CHECK(exit_status(spawn_in_path("program", {.arguments = {"program"}})) == 3);
  scratch.make("a/program", "#!/bin/sh\nexit 4\n", 0644);
  CHECK(exit_status(spawn_in_path("program", {.arguments = {"program"}})) == 3);
  fs::remove(scratch.path("b/program"));
  CHECK(exit_status(spawn_in_path("program", {.arguments = {"program"}})) == -EACCES);
  CHECK(exit_status(spawn_in_path("missing", {.arguments = {"missing"}})) == -ENOENT);
}

TEST_CASE("a file that is no program ends the search") {
  const Scratch scratch;
  const Variable path("PATH", scratch.search());
  scratch.make("a/program", "text", 0755);
  scratch.make("b/program", "#!/bin/sh\nexit 3\n", 0755);
  CHECK(exit_status(spawn_in_path("program", {.arguments = {"program"}})) == -ENOEXEC);
}

TEST_CASE("an empty directory of PATH is the working directory") {
  const Variable path("PATH", "/x::/y");
  CHECK(places_in_path("ps") == std::vector<std::string>{"/x/ps", "ps", "/y/ps"});
}

TEST_CASE("the error names the path, and is the one of the step that failed") {
  const auto message = [](const Result<Child>& child) {
    return child ? "no error" : std::string(child.error().message.view());
  };
  const Result<Child> below_file = spawn("/bin/sh/program", {.arguments = {"program"}});
  CHECK(message(below_file) == "exec '/bin/sh/program'");
  CHECK(exit_status(below_file) == -ENOTDIR);
  CHECK(exit_status(spawn("/bin/sh", {.arguments = {"sh"}, .output = 1000})) == -EBADF);
  CHECK(exit_status(spawn("/bin/sh", {.arguments = {"sh"}, .directory = 0})) == -ENOTDIR);
  CHECK(waitpid(-1, nullptr, WNOHANG) == -1);  // nothing is left behind
}

TEST_CASE("without an environment of its own a program has ours") {
  const Variable variable("ONGGI_SPAWN_TEST", "here");
  const auto check = [](std::optional<SpawnRequest::Words> environment) {
    return exit_status(spawn("/bin/sh", {.arguments = {"sh", "-c", "test \"$ONGGI_SPAWN_TEST\""},
                                         .environment = std::move(environment)}));
  };
  CHECK(check({}) == 0);
  CHECK(check(SpawnRequest::Words{}) == 1);
  CHECK(check(SpawnRequest::Words{"ONGGI_SPAWN_TEST=x"}) == 0);
}

}  // namespace
}  // namespace onggi
