// SPDX-License-Identifier: Apache-2.0
// /proc/PID/stat: the command stands in parentheses and may hold any character, so the fields
// behind it are counted from the last one.
#include "linux/process_status.h"

#include "base/file.h"

#include <ctime>
#include <string>

namespace onggi {

namespace {

// Nothing: there is no such process.
Result<std::optional<std::string>> read_stat(int pid, const std::string& path) {
  constexpr size_t kLimit = size_t{64} * 1024;
  Result<std::string> stat = read_file(AT_FDCWD, path, kLimit);
  if (stat) return std::optional(std::move(stat).value());
  const int errnum = stat.error().errnum;
  if (errnum != ENOENT && errnum != ESRCH) return stat.error();
  // Also where /proc is not mounted, and there it may well live. One that we may not signal is
  // another user's, and hidden from us (hidepid).
  if (sys::kill(pid, 0) < 0) return std::optional<std::string>();
  return std::optional(TRY(read_file(AT_FDCWD, path, kLimit)));
}

}  // namespace

Result<std::optional<ProcessStatus>> process_status(int pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const std::optional<std::string> read = TRY(read_stat(pid, path));
  if (!read) return std::optional<ProcessStatus>();
  const std::string& stat = *read;
  const size_t open = stat.find('('), close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos || close + 2 >= stat.size()) {
    return make_error(ErrorKind::internal, "cannot read ", path);
  }
  ProcessStatus status;
  status.command.append(std::string_view(stat).substr(open + 1, close - open - 1));
  status.state = stat[close + 2];
  constexpr int kStartTimeAfterState = 19;
  std::string_view rest = std::string_view(stat).substr(close + 2);
  for (int i = 0; i < kStartTimeAfterState; i++)
    rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
  const auto start_time = parse_decimal<uint64_t>(rest.substr(0, rest.find(' ')));
  if (!start_time) return make_error(ErrorKind::internal, "cannot read ", path);
  status.start_time = *start_time;
  return std::optional(status);
}

Result<std::optional<UniqueFd>> open_process(int pid, uint64_t start_time) {
  if (pid <= 0) return std::optional<UniqueFd>();
  const long opened = sys::pidfd_open(pid);
  if (opened == -ESRCH) return std::optional<UniqueFd>();
  if (opened < 0) return system_error(opened, "pidfd_open", std::to_string(pid));
  UniqueFd pidfd(opened);
  const std::optional<ProcessStatus> status =
      TRY(process_status(pid));  // after the descriptor: no pid can be reused now
  if (!status || !status->alive() || status->start_time != start_time)
    return std::optional<UniqueFd>();
  return std::optional<UniqueFd>(std::move(pidfd));
}

// Files, root and namespaces go in this order (do_exit() in the kernel's kernel/exit.c), then comes
// the wait. Without namespaces the links are there, but lead nowhere.
bool has_let_go(int pid) {
  const auto path = text<64>("/proc/", pid, "/ns/mnt");
  char target[64];
  return sys::readlinkat(AT_FDCWD, path.c_str(), target, sizeof target) == -ENOENT;
}

Result<bool> wait_for_exit(int pidfd, int milliseconds) {
  pollfd entry{.fd = pidfd, .events = POLLIN, .revents = 0};
  timespec timeout{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
  const long ready = sys::retry(SYS_ppoll, &entry, 1, &timeout, nullptr, 0);
  if (ready < 0) return system_error(ready, "poll");
  return ready > 0;
}

}  // namespace onggi
