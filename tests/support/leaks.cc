// SPDX-License-Identifier: Apache-2.0
#include "support/leaks.h"

#include "support/run.h"
#include "support/suite.h"
#include "support/unit.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <sstream>

namespace onggi::test {
namespace {

namespace fs = std::filesystem;

Strings& noted() {
  static Strings list;
  return list;
}

void collect_descendants(pid_t parent, std::vector<pid_t>& found) {
  std::istringstream children(read_file("/proc/" + std::to_string(parent) + "/task/" +
                                        std::to_string(parent) + "/children"));
  for (pid_t child = 0; children >> child;) {
    found.push_back(child);
    collect_descendants(child, found);
  }
}

std::vector<pid_t> descendant_pids() {
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  std::vector<pid_t> found;
  collect_descendants(getpid(), found);
  return found;
}

Strings state_entries() {
  Strings entries;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(state_root(), missing)) {
    const std::string name = entry.path().filename().string();
    if (contains(name, tag())) entries.push_back(name);
  }
  return entries;
}

// mountinfo writes blanks, tabs, newlines and backslashes as octal.
std::string unescape(const std::string& text) {
  std::string result;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      result += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
      i += 3;
    } else {
      result += text[i];
    }
  }
  return result;
}

Strings leftovers_now(const Strings& mounts_before) {
  Strings left;
  Strings mounts = mount_points();
  for (const std::string& mount : mounts_before) {
    const auto same = std::find(mounts.begin(), mounts.end(), mount);
    if (same == mounts.end()) {
      left.push_back("vanished mount " + mount);
    } else {
      mounts.erase(same);
    }
  }
  for (const std::string& mount : mounts) left.push_back("mount " + mount);
  for (const std::string& process : descendants()) left.push_back("process " + process);
  for (const std::string& cgroup : tagged_cgroups()) left.push_back("cgroup " + cgroup);
  for (const std::string& unit : tagged_units()) left.push_back("unit " + unit);
  for (const std::string& entry : state_entries()) left.push_back("state " + entry);
  return left;
}

uid_t owner_of_null() {
  struct stat info = {};
  return stat("/dev/null", &info) == 0 ? info.st_uid : 0;
}

}  // namespace

Strings mount_points(const fs::path& below) {
  const std::string prefix = below == "/" ? "/" : below.string() + "/";
  Strings result;
  for (const std::string& line : lines(read_file("/proc/self/mountinfo"))) {
    std::istringstream fields(line);
    std::string id, parent, device, root, point;
    fields >> id >> parent >> device >> root >> point;
    point = unescape(point);
    if (point == below || point.starts_with(prefix)) result.push_back(point);
  }
  return result;
}

Strings descendants() {
  Strings result;
  for (const pid_t pid : descendant_pids()) {
    std::string command = read_file("/proc/" + std::to_string(pid) + "/cmdline");
    std::replace(command.begin(), command.end(), '\0', ' ');
    result.push_back(std::to_string(pid) + " " + command);
  }
  return result;
}

Strings tagged_cgroups() {
  Strings result;
  std::error_code error;
  fs::recursive_directory_iterator walk("/sys/fs/cgroup",
                                        fs::directory_options::skip_permission_denied, error);
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    // Files are many and directories few: only the latter are looked at.
    if (error || !walk->is_directory(error) || walk->is_symlink(error)) continue;
    if (contains(walk->path().string(), tag())) result.push_back(walk->path().string());
  }
  return result;
}

Snapshot::Snapshot() : mounts_(mount_points()) {}

Strings Snapshot::left_behind() const {
  Strings left;
  // The kernel ends killed processes and empties cgroups in its own time; only what stays is a
  // leak.
  for (int attempt = 0; attempt < 500 * time_scale(); attempt++) {
    left = leftovers_now(mounts_);
    if (left.empty()) break;
    usleep(5'000);
  }
  return left;
}

void Snapshot::clean_up() const {
  for (const pid_t pid : descendant_pids()) kill(pid, SIGKILL);
  (void)eventually([] { return descendant_pids().empty(); });
  Strings mounts = mount_points();
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (std::find(mounts_.begin(), mounts_.end(), *mount) == mounts_.end())
      umount2(mount->c_str(), MNT_DETACH);
  }
  Strings cgroups = tagged_cgroups();
  std::sort(cgroups.rbegin(), cgroups.rend());
  for (const std::string& cgroup : cgroups) rmdir(cgroup.c_str());
  // Those that have not gone with their last process.
  for (const std::string& unit : tagged_units()) {
    (void)systemctl({"stop", unit});
    (void)systemctl({"reset-failed", unit});
  }
  for (const std::string& entry : state_entries()) fs::remove_all(state_root() / entry);
}

void note_leak(std::string text) {
  noted().push_back(std::move(text));
}

Clean::Clean() : null_owner_(owner_of_null()) {
  noted().clear();
}

Clean::~Clean() {
  if (is_listing()) return;
  Strings left = before_.left_behind();
  left.insert(left.end(), noted().begin(), noted().end());
  if (owner_of_null() != null_owner_) {
    const std::string change = "/dev/null as that of " + std::to_string(owner_of_null());
    if (is_onggi()) left.push_back(change);
    if (!is_onggi()) MESSAGE("left behind: " << change);
    (void)!chown("/dev/null", null_owner_, null_owner_);
  }
  if (left.empty()) return;
  std::string text;
  for (const std::string& line : left) text += "\n  " + line;
  CHECK_MESSAGE(left.empty(), "left behind:" << text);
  before_.clean_up();
}

}  // namespace onggi::test
