// SPDX-License-Identifier: Apache-2.0
// mkdir, rmdir and the walk over sub-cgroups. Containers and engines make and remove cgroups at the
// same time, so a name that is gone, or an ancestor that vanishes between two calls, is nothing out
// of the ordinary.
#include "cgroups/directory.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/split.h"

#include <dirent.h>
#include <time.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace onggi::cgroups {
namespace {

constexpr size_t kFileLimit = 16 << 20;

bool is_gone(int errnum) {
  // ENODEV: the file was opened, then the cgroup removed (kernfs).
  return errnum == ENOENT || errnum == ENODEV;
}

Result<std::vector<std::string>> children_of(const std::string& path) {
  std::vector<std::string> children;
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY);
  if (is_gone(static_cast<int>(-opened))) return children;
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd directory(opened);
  DirectoryReader reader(directory.get());
  for (;;) {
    const Result<const DirectoryReader::Entry*> entry = reader.next();
    if (!entry && !is_gone(entry.error().errnum)) return entry.error();
    if (!entry || entry.value() == nullptr) return children;
    if (entry.value()->type == DT_DIR) children.push_back(path + "/" + entry.value()->name());
  }
}

// Depth first, one attempt each: a sub-cgroup that is busy is tried again by the caller.
Result<> remove_children(const std::string& path) {
  for (const std::string& child : TRY(children_of(path))) {
    TRY(remove_children(child));
    (void)sys::unlinkat(AT_FDCWD, child.c_str(), AT_REMOVEDIR);
  }
  return {};
}

Result<> add_processes(const std::string& path, std::vector<int>& found) {
  const std::optional<std::string> text = TRY(read_control(path + "/cgroup.procs"));
  for (std::string_view line : lines_of(text ? *text : std::string_view())) {
    const std::optional<int> pid = parse_decimal<int>(line);
    if (pid && *pid > 0) found.push_back(*pid);
  }
  for (const std::string& child : TRY(children_of(path))) TRY(add_processes(child, found));
  return {};
}

Error still_busy(const std::string& path) {
  Error error = state_error("cgroup '", path, "' cannot be removed");
  const Result<std::vector<int>> left = processes_below(path);
  if (left && !left.value().empty()) {
    error.message.append(", these processes did not exit after SIGKILL:");
    for (int pid : left.value()) error.message.append(" ", pid);
    error.hint.append(
        "processes in uninterruptible sleep (state D) wait for a device or a network filesystem");
  }
  return error;
}

}  // namespace

std::string parent_of(const std::string& path) {
  return path.substr(0, std::min(path.rfind('/'), path.size()));
}

Result<> make_directory(const std::string& mount_point, const std::string& path,
                        std::vector<std::string>& made) {
  const std::string full = mount_point + path;
  // Each round makes the missing parents anew: another container's removal can take one away in
  // between.
  constexpr int kRounds = 100;
  for (int round = 0;; round++) {
    const long result = sys::mkdirat(AT_FDCWD, full.c_str(), 0755);
    if (result == 0) {
      made.push_back(full);
      return {};
    }
    if (result == -EEXIST) return {};
    const std::string parent = parent_of(path);
    if (result != -ENOENT || parent.empty() || round == kRounds)
      return system_error(result, "mkdir", full);
    TRY(make_directory(mount_point, parent, made));
  }
}

Result<> remove_directory(const std::string& path) {
  constexpr int64_t kFirstDelay = 50, kLongestDelay = 10'000,
                    kPatience = 10'000'000;  // microseconds
  int64_t waited = 0;
  for (int64_t delay = kFirstDelay;; delay = std::min(2 * delay, kLongestDelay)) {
    const long result = sys::unlinkat(AT_FDCWD, path.c_str(), AT_REMOVEDIR);
    if (result == 0 || is_gone(static_cast<int>(-result))) return {};
    if (result != -EBUSY && result != -ENOTEMPTY) return system_error(result, "rmdir", path);
    if (waited >= kPatience) return still_busy(path);
    TRY(signal_below(path, SIGKILL));
    TRY(remove_children(path));
    sleep_microseconds(delay);
    waited += delay;
  }
}

Result<std::optional<std::string>> read_control(const std::string& path) {
  Result<std::string> content = read_file(AT_FDCWD, path, kFileLimit);
  if (content) return std::optional<std::string>(std::move(content).value());
  if (is_gone(content.error().errnum)) return std::optional<std::string>();
  return content.error();
}

Result<std::vector<int>> processes_below(const std::string& path) {
  std::vector<int> found;
  TRY(add_processes(path, found));
  return found;
}

Result<size_t> signal_below(const std::string& path, int signal) {
  const int self = static_cast<int>(sys::getpid());
  size_t sent = 0;
  for (int pid : TRY(processes_below(path))) {
    if (pid == self) continue;
    const long result = sys::kill(pid, signal);
    if (result == 0) {
      sent++;
    } else if (result != -ESRCH) {
      return system_error(result, "kill", text<16>(pid).view());
    }
  }
  return sent;
}

void sleep_microseconds(int64_t duration) {
  const timespec time{.tv_sec = duration / 1'000'000, .tv_nsec = duration % 1'000'000 * 1000};
  (void)sys::call(SYS_nanosleep, &time, nullptr);
}

}  // namespace onggi::cgroups
