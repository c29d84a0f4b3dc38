// SPDX-License-Identifier: Apache-2.0
// Commands that are killed at each of their system calls that change something, one after the
// other: whatever is left, the next command finds a store that is whole. (Between two of them a
// kill leaves what it leaves at the second.) ptrace(2) counts the calls of all threads; the store
// is in memory, where fsync(2) costs nothing.
#include "image_fixture.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <functional>

using namespace onggi::image;
using namespace onggi::image::test;

namespace {

namespace fs = std::filesystem;

// A directory in memory with a layout and a store.
class Place {
 public:
  Place() {
    std::string pattern = "/dev/shm/onggi-image-test-XXXXXX";
    const char* made = mkdtemp(pattern.data());
    path = made == nullptr ? scratch_.path() : pattern;
  }
  ~Place() { fs::remove_all(path); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::vector<std::string> command(std::vector<std::string> words) const {
    words.insert(words.begin(), {ONGGI_IMAGE, "--root", path + "/store"});
    return words;
  }
  std::string must(const std::vector<std::string>& words) const {
    const Run result = run(command(words));
    CAPTURE(words[0]);
    CAPTURE(result.out);
    CAPTURE(result.err);
    REQUIRE(result.status == 0);
    return result.out;
  }
  void reset_to(const std::string& saved) const {
    fs::remove_all(path + "/store");
    if (!saved.empty()) REQUIRE(run({"cp", "-a", path + "/" + saved, path + "/store"}).status == 0);
  }
  std::string names() const {
    std::string all;
    std::vector<std::string> lines;
    for (const auto& entry : fs::recursive_directory_iterator(path + "/store"))
      lines.push_back(entry.path().lexically_relative(path).string() + "\n");
    std::ranges::sort(lines);
    for (const std::string& line : lines) all += line;
    return all;
  }

  std::string path;

 private:
  Scratch scratch_;
};

constexpr long kChanges[] = {
    SYS_write,    SYS_pwrite64, SYS_ftruncate, SYS_renameat,  SYS_renameat2, SYS_mkdirat,
    SYS_unlinkat, SYS_linkat,   SYS_symlinkat, SYS_mknodat,   SYS_fchmod,    SYS_fchmodat,
    SYS_fchown,   SYS_fchownat, SYS_utimensat, SYS_fsetxattr, SYS_fsmount,   SYS_fsync,
    SYS_fsconfig, SYS_syncfs,   SYS_flock,
};

bool begins_change(pid_t thread) {
  __ptrace_syscall_info info = {};
  const long size = ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
  if (size <= 0 || info.op != PTRACE_SYSCALL_INFO_ENTRY) return false;
  const auto number = static_cast<long>(info.entry.nr);
  if (number == SYS_openat) return (info.entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
  return std::ranges::find(kChanges, number) != std::end(kChanges);
}

// Runs the command until its change number `last` begins, and kills it there. False: it ended
// before, with status 0.
bool run_and_kill(const std::vector<std::string>& words, unsigned last) {
  std::vector<char*> arguments;
  for (const std::string& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd : {0, 1, 2}) dup2(null, fd);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  constexpr long kOptions =
      PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL;
  REQUIRE(ptrace(PTRACE_SETOPTIONS, child, nullptr, kOptions) == 0);
  ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  unsigned changes = 0;
  bool killed = false;
  for (;;) {
    const pid_t stopped = waitpid(-1, &status, __WALL);
    REQUIRE(stopped > 0);
    if (!WIFSTOPPED(status)) {
      if (stopped != child) continue;
      REQUIRE((killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
      return killed;
    }
    const bool at_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
    if (at_call && begins_change(stopped) && ++changes >= last && !killed) {
      killed = true;
      kill(child, SIGKILL);
    }
    const bool is_own = at_call || status >> 16 != 0 || WSTOPSIG(status) == SIGSTOP;
    ptrace(PTRACE_SYSCALL, stopped, nullptr, is_own ? 0L : static_cast<long>(WSTOPSIG(status)));
  }
}

// Kills at every change, then lets `after` look. The value is the number of kills.
unsigned kill_everywhere(const Place& place, const std::string& saved,
                         const std::vector<std::string>& words,
                         const std::function<void()>& after) {
  unsigned kills = 0;
  for (;; ++kills) {
    place.reset_to(saved);
    if (!run_and_kill(place.command(words), kills + 1)) return kills;
    CAPTURE(kills);
    after();
  }
}

std::vector<std::string> layers() {
  Tar base, top;
  base.directory("bin").file("bin/sh", std::string(2000, 's'), 0755).symlink("sh", "bin/sh");
  base.file("gone", "x");
  top.file(".wh.gone", "").file("etc/os-release", "ID=test\n");
  return {base.bytes(), top.bytes()};
}

}  // namespace

TEST_SUITE("store: killed") {
  TEST_CASE("a copy into the store, at each of its changes") {
    const Place place;
    TestLayout from(place.path + "/from");
    const Descriptor image = from.image(layers());
    from.name(image, "web");
    const std::vector<std::string> copy = {"copy", "--quiet", "oci:" + from.path() + ":web", "web"};
    place.must(copy);
    place.must({"gc"});
    const std::string whole = place.names();
    const unsigned kills = kill_everywhere(place, "", copy, [&] {
      const std::string listed = place.must({"list", "--quiet"});
      CHECK((listed.empty() || listed == "docker.io/library/web:latest\n"));
      place.must({"verify"});
      CHECK(place.must(copy) == image.digest.text() + "\n");
      place.must({"verify"});
      place.must({"gc"});
      REQUIRE(place.names() == whole);
    });
    MESSAGE(kills << " kills");
    CHECK(kills > 50);
  }

  TEST_CASE("gc, at each of its changes") {
    const Place place;
    TestLayout from(place.path + "/from");
    from.name(from.image(layers()), "old");
    from.name(from.image({layers()[0], Tar().file("new", "n").bytes()}), "new");
    for (const std::string name : {"old", "new"})
      place.must({"copy", "--quiet", "oci:" + from.path() + ":" + name, "web"});
    REQUIRE(rename((place.path + "/store").c_str(), (place.path + "/saved").c_str()) == 0);
    place.reset_to("saved");
    place.must({"gc"});
    const std::string whole = place.names();
    const unsigned kills = kill_everywhere(place, "saved", {"gc"}, [&] {
      CHECK(place.must({"list", "--quiet"}) == "docker.io/library/web:latest\n");
      place.must({"verify"});
      place.must({"gc"});
      REQUIRE(place.names() == whole);
    });
    MESSAGE(kills << " kills");
    CHECK(kills > 10);
  }

  TEST_CASE("names that change, at each of their changes") {
    const Place place;
    TestLayout from(place.path + "/from");
    from.name(from.image(layers()), "web");
    place.must({"copy", "--quiet", "oci:" + from.path() + ":web", "web"});
    REQUIRE(rename((place.path + "/store").c_str(), (place.path + "/saved").c_str()) == 0);
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"tag", "web", "other"}, {"untag", "web"}, {"remove", "web"}}) {
      CAPTURE(words[0]);
      const unsigned kills = kill_everywhere(place, "saved", words, [&] {
        (void)place.must({"list", "--quiet"});
        place.must({"gc"});
        place.must({"copy", "--quiet", "oci:" + from.path() + ":web", "web"});
        place.must({"verify"});
      });
      MESSAGE(kills << " kills");
      CHECK(kills > 5);
    }
  }
}
