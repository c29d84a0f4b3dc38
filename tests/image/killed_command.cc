// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "killed_command.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

namespace onggi::image::test {

namespace fs = std::filesystem;

namespace {

constexpr long kChanges[] = {
    SYS_write,     SYS_pwrite64, SYS_ftruncate, SYS_renameat, SYS_renameat2, SYS_mkdirat,
    SYS_mkdir,     SYS_rmdir,    SYS_unlink,    SYS_unlinkat, SYS_linkat,    SYS_symlinkat,
    SYS_mknodat,   SYS_fchmod,   SYS_fchmodat,  SYS_fchown,   SYS_fchownat,  SYS_utimensat,
    SYS_fsetxattr, SYS_fsmount,  SYS_fsync,     SYS_fsconfig, SYS_syncfs,    SYS_flock,
};

bool is_change(const __ptrace_syscall_info& info) {
  const auto number = static_cast<long>(info.entry.nr);
  if (number == SYS_openat) return (info.entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
  return std::ranges::find(kChanges, number) != std::end(kChanges);
}

pid_t start_traced(const std::vector<std::string>& words) {
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (const std::string& each : words) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  // A process that the command leaves behind would become ours, and be waited for.
  REQUIRE(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0);
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
  constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE |
                            PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL;
  REQUIRE(ptrace(PTRACE_SETOPTIONS, child, nullptr, kOptions) == 0);
  ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  return child;
}

unsigned total_of_others(const MemoryPlace& place, const KillPlan& plan) {
  place.reset_to(plan.saved);
  return run_and_kill(place.command(plan.words), Calls::other, UINT_MAX).other;
}

}  // namespace

MemoryPlace::MemoryPlace() {
  std::string pattern = "/dev/shm/onggi-image-test-XXXXXX";
  const char* made = mkdtemp(pattern.data());
  path = made == nullptr ? scratch_.path() : pattern;
}

MemoryPlace::~MemoryPlace() {
  fs::remove_all(path);
}

std::vector<std::string> MemoryPlace::command(std::vector<std::string> words) const {
  words.insert(words.begin(), {ONGGI_IMAGE, "--root", path + "/store"});
  return words;
}

std::string MemoryPlace::must(const std::vector<std::string>& words) const {
  const Run result = run(command(words));
  CAPTURE(words[0]);
  CAPTURE(result.out);
  CAPTURE(result.err);
  REQUIRE(result.status == 0);
  return result.out;
}

void MemoryPlace::reset_to(const std::string& saved) const {
  fs::remove_all(path + "/store");
  if (!saved.empty()) REQUIRE(run({"cp", "-a", path + "/" + saved, path + "/store"}).status == 0);
}

std::string MemoryPlace::names() const {
  std::string all;
  std::vector<std::string> lines;
  for (const auto& entry : fs::recursive_directory_iterator(path + "/store"))
    lines.push_back(entry.path().lexically_relative(path).string() + "\n");
  std::ranges::sort(lines);
  for (const std::string& line : lines) all += line;
  return all;
}

KilledRun run_and_kill(const std::vector<std::string>& words, Calls kind, unsigned at) {
  const pid_t child = start_traced(words);
  KilledRun run;
  for (;;) {
    int status = 0;
    const pid_t stopped = waitpid(-1, &status, __WALL);
    if (stopped < 0 && errno == ECHILD) return run;
    REQUIRE(stopped > 0);
    if (!WIFSTOPPED(status)) {
      if (stopped == child)
        REQUIRE((run.was_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
      continue;
    }
    const bool at_call = WSTOPSIG(status) == (SIGTRAP | 0x80);
    __ptrace_syscall_info info = {};
    if (at_call && ptrace(PTRACE_GET_SYSCALL_INFO, stopped, sizeof info, &info) > 0 &&
        info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      unsigned& count = is_change(info) ? run.changing : run.other;
      ++count;
      if (!run.was_killed && (kind == Calls::changing ? run.changing : run.other) >= at) {
        run.was_killed = true;
        kill(child, SIGKILL);
      }
    }
    const bool is_own = at_call || status >> 16 != 0 || WSTOPSIG(status) == SIGSTOP;
    ptrace(PTRACE_SYSCALL, stopped, nullptr, is_own ? 0L : static_cast<long>(WSTOPSIG(status)));
  }
}

Kills kill_everywhere(const MemoryPlace& place, const KillPlan& plan,
                      const std::function<void()>& after) {
  Kills kills;
  // False: the command ended before.
  const auto kill_at = [&](Calls kind, unsigned number) {
    place.reset_to(plan.saved);
    if (!run_and_kill(place.command(plan.words), kind, number).was_killed) return false;
    CAPTURE(kills.at_changes);
    CAPTURE(kills.at_others);
    after();
    return true;
  };
  while (kill_at(Calls::changing, kills.at_changes + 1)) ++kills.at_changes;
  if (plan.most_other == 0) return kills;
  const unsigned step = std::max(1u, total_of_others(place, plan) / plan.most_other);
  while (kill_at(Calls::other, (kills.at_others + 1) * step)) ++kills.at_others;
  return kills;
}

}  // namespace onggi::image::test
