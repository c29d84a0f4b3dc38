// SPDX-License-Identifier: Apache-2.0
// Cgroup v2 (Documentation/admin-guide/cgroup-v2.rst).
#include "cgroups/unified.h"

#include "base/file.h"
#include "base/split.h"
#include "cgroups/directory.h"

#include <algorithm>
#include <csignal>

namespace onggi::cgroups::unified {
namespace {

bool is_gone(const Result<>& result) {
  return !result && (result.error().errnum == ENOENT || result.error().errnum == ENODEV);
}

// A threaded cgroup has no controllers but those of threads, and says ENOENT for the others.
bool is_threaded(const std::string& directory) {
  const Result<std::string> type = read_file(AT_FDCWD, directory + "/cgroup.type", 64);
  return type && type->starts_with("threaded");
}

Error controller_refused(Error error, const std::string& directory,
                         const plan::CgroupController& controller) {
  const int errnum = is_threaded(directory) ? EOPNOTSUPP : error.errnum;
  error.message.clear();
  error.message.append("cgroup controller '", controller.name, "' cannot be enabled: write '",
                       directory, "/cgroup.subtree_control' '+", controller.name, "'");
  error = at_place(error, controller.place);
  switch (errnum) {
    case ENOENT:
    case EACCES:
    case EPERM:
      return with_hint(error,
                       "delegate the controller to this cgroup (systemd: Delegate=yes in the unit "
                       "or in user@.service.d)");
    case EBUSY:
      return with_hint(error,
                       "the cgroup contains processes: choose another linux.cgroupsPath, or move "
                       "the processes into a child cgroup");
    case EOPNOTSUPP:
      return with_hint(
          error, "the cgroup is threaded (see its cgroup.type) and cannot contain a container");
    default:
      return error;
  }
}

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t end = std::min(list.find_first_of(" \n"), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// Reads before it writes: even a write that changes nothing waits until the cgroups that were just
// removed below are offline, an RCU grace period.
Result<> enable_in(const std::string& directory,
                   std::span<const plan::CgroupController> controllers) {
  const std::string file = directory + "/cgroup.subtree_control";
  const std::string enabled = TRY(read_file(AT_FDCWD, file, 4096));
  std::string line;
  for (const plan::CgroupController& controller : controllers) {
    if (!has_word(enabled, controller.name))
      line.append(line.empty() ? "+" : " +").append(controller.name);
  }
  if (line.empty() || write_existing(AT_FDCWD, file, line)) return {};
  // One refused controller refuses the line, so that each gets its own attempt; only a limit's must
  // succeed.
  for (const plan::CgroupController& controller : controllers) {
    if (has_word(enabled, controller.name)) continue;  // by somebody who may, perhaps not by us
    const Result<> written = write_existing(AT_FDCWD, file, "+" + controller.name);
    if (!written && !controller.place.empty())
      return controller_refused(written.error(), directory, controller);
  }
  return {};
}

// For Linux before 5.14, and for a cgroup that is gone. Frozen, so that no fork(2) outruns the walk
// over the processes.
Result<> kill_stopped(const std::string& directory) {
  const Result<> stopped = write_existing(AT_FDCWD, directory + "/cgroup.freeze", "1");
  if (is_gone(stopped)) return {};
  TRY(stopped);
  const Result<size_t> sent = signal_below(directory, SIGKILL);
  const Result<> thawed = write_existing(AT_FDCWD, directory + "/cgroup.freeze", "0");
  if (!sent) return sent.error();
  return is_gone(thawed) ? Result<>() : thawed;
}

}  // namespace

Result<> enable_controllers(const std::string& mount_point, const std::string& path,
                            std::span<const plan::CgroupController> controllers) {
  if (controllers.empty()) return {};
  // From the root down: what an ancestor does not give, its children cannot pass on.
  for (size_t end = 0; end != std::string::npos; end = path.find('/', end + 1)) {
    TRY(enable_in(mount_point + path.substr(0, end), controllers));
  }
  return {};
}

Result<> delegate(const std::string& directory, uint32_t owner) {
  constexpr uint32_t kNoChange = UINT32_MAX;
  std::string files = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
  if (std::optional<std::string> listed = TRY(read_control("/sys/kernel/cgroup/delegate")))
    files = std::move(*listed);
  long result = sys::fchownat(AT_FDCWD, directory.c_str(), owner, kNoChange, 0);
  if (result < 0) return system_error(result, "chown", directory);
  for (std::string_view name : lines_of(files)) {
    const std::string file = (directory + "/").append(name);
    result = sys::fchownat(AT_FDCWD, file.c_str(), owner, kNoChange, 0);
    // The list is of all files that can be delegated; those of controllers that are not enabled are
    // not there.
    if (result < 0 && result != -ENOENT) return system_error(result, "chown", file);
  }
  return {};
}

Result<bool> frozen(const std::string& directory) {
  const std::optional<std::string> state = TRY(read_control(directory + "/cgroup.freeze"));
  return state && state->starts_with('1');
}

Result<> set_frozen(const std::string& directory, bool frozen) {
  constexpr int kPatience = 10'000;  // milliseconds
  // Opened before the write, so that no change goes unnoticed.
  const std::string events = directory + "/cgroup.events";
  const long opened = sys::openat(AT_FDCWD, events.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", events);
  const UniqueFd file(opened);
  TRY(write_existing(AT_FDCWD, directory + "/cgroup.freeze", frozen ? "1" : "0"));
  const std::string_view wanted = frozen ? "frozen 1" : "frozen 0";
  for (;;) {
    char text[256];
    const long size = sys::call(SYS_pread64, file.get(), &text[0], sizeof text, 0);
    if (size < 0) return system_error(size, "read", events);
    if (std::string_view(text, static_cast<size_t>(size)).find(wanted) != std::string_view::npos)
      return {};
    // The kernel announces a change of the file by POLLPRI (cgroup-v2.rst, "Populated
    // Notification").
    pollfd polled{.fd = file.get(), .events = POLLPRI, .revents = 0};
    const timespec limit{.tv_sec = kPatience / 1000, .tv_nsec = 0};
    const long ready = sys::retry(SYS_ppoll, &polled, 1, &limit, nullptr, 0);
    if (ready < 0) return system_error(ready, "poll", events);
    if (ready == 0)
      return state_error("cgroup '", directory, "' did not reach the state '", wanted, "'");
  }
}

Result<> kill(const std::string& directory) {
  // Before "cgroup: fix race between fork and cgroup.kill" (Linux 6.14) one write misses the child
  // of a fork(2) that had looked for signals already: it is repeated as long as somebody is there,
  // but not for those whom the kernel does not let go.
  constexpr int64_t kPatience = 200'000, kLongestDelay = 10'000;  // microseconds
  int64_t delay = 50;
  for (int64_t waited = 0; waited < kPatience;
       waited += delay, delay = std::min(2 * delay, kLongestDelay)) {
    const Result<> killed = write_existing(AT_FDCWD, directory + "/cgroup.kill", "1");
    if (is_gone(killed)) return kill_stopped(directory);
    TRY(killed);
    const std::optional<std::string> events = TRY(read_control(directory + "/cgroup.events"));
    if (!events || events->find("populated 0") != std::string::npos) return {};
    sleep_microseconds(delay);
  }
  return {};
}

}  // namespace onggi::cgroups::unified
