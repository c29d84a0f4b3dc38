// SPDX-License-Identifier: Apache-2.0
// Cgroup v1: cpuset inheritance, tasks files and the freezer.
#include "cgroups/legacy.h"

#include "base/file.h"
#include "cgroups/directory.h"

#include <algorithm>
#include <csignal>

namespace onggi::cgroups::legacy {
namespace {

// What `path` has in the file, after taking it over from the parents if that was nothing. That of a
// directory that was `just_made` is not read: it is nothing, or (cgroup.clone_children) the
// parent's.
Result<std::string> inherited(const std::string& mount_point, const std::string& path,
                              const std::string& file, bool just_made) {
  const std::string name = mount_point + path + "/" + file;
  std::string value;
  if (!just_made) value = TRY(read_file(AT_FDCWD, name, 1 << 20));
  if (value.ends_with('\n')) value.pop_back();
  if (!value.empty() || path.empty()) return value;
  value = TRY(inherited(mount_point, parent_of(path), file, false));
  TRY(write_existing(AT_FDCWD, name, value));
  return value;
}

Result<> set_state(const std::string& directory, std::string_view state) {
  const Result<> written = write_existing(AT_FDCWD, directory + "/freezer.state", state);
  if (!written && (written.error().errnum == ENOENT || written.error().errnum == ENODEV)) return {};
  return written;
}

// FREEZING until the last task has stopped. A task that is being moved or forked meanwhile can keep
// it there until the state is written again (freezer-subsystem.rst). False: it is not frozen yet.
Result<bool> try_to_freeze(const std::string& directory, int64_t patience) {
  constexpr int64_t kLongestDelay = 10'000;
  int64_t delay = 50;
  for (int64_t waited = 0;; waited += delay, delay = std::min(2 * delay, kLongestDelay)) {
    TRY(set_state(directory, "FROZEN"));
    const std::optional<std::string> state = TRY(read_control(directory + "/freezer.state"));
    if (!state || state->starts_with("FROZEN")) return true;
    if (waited >= patience) return false;
    sleep_microseconds(delay);
  }
}

}  // namespace

Result<> fill_cpuset(const std::string& mount_point, const std::string& path, bool just_made) {
  TRY(inherited(mount_point, path, "cpuset.cpus", just_made));
  TRY(inherited(mount_point, path, "cpuset.mems", just_made));
  return {};
}

Result<UniqueFd> open_tasks(const std::string& directory) {
  const std::string path = directory + "/tasks";
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_WRONLY);
  if (opened < 0) return system_error(opened, "open", path);
  return UniqueFd(opened);
}

Result<bool> frozen(const std::string& directory) {
  const std::optional<std::string> state = TRY(read_control(directory + "/freezer.state"));
  return state && !state->starts_with("THAWED");
}

Result<> thaw(const std::string& directory) {
  return set_state(directory, "THAWED");
}

Result<> freeze(const std::string& directory) {
  constexpr int64_t kPatience = 10'000'000;  // microseconds
  const Result<bool> stopped = try_to_freeze(directory, kPatience);
  if (stopped && stopped.value()) return {};
  (void)thaw(directory);
  if (!stopped) return stopped.error();
  return with_hint(
      state_error("cgroup '", directory, "' could not be frozen"),
      "processes in uninterruptible sleep (state D) wait for a device or a network filesystem");
}

Result<> kill_frozen(const std::string& directory) {
  // One that sleeps uninterruptibly may keep it from freezing, hence the limit; the signal comes in
  // any case.
  constexpr int64_t kPatience = 200'000;  // microseconds
  TRY(try_to_freeze(directory, kPatience));
  const Result<size_t> killed = signal_below(directory, SIGKILL);
  const Result<> thawed = thaw(directory);  // a frozen task dies only when it runs again
  if (!killed) return killed.error();
  return thawed;
}

}  // namespace onggi::cgroups::legacy
