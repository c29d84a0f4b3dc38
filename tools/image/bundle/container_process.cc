// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/container_process.h"

#include "model/json.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace onggi::image {
namespace {

constexpr size_t kStateLimit = 64u << 10;

// linux/pidfd.h as of Linux 6.15, which Debian 12 does not have.
struct PidfdInfo {
  uint64_t mask, cgroup;
  uint32_t ids[11];
  int32_t exit_code;  // as wait(2) has it
};
constexpr uint64_t kInfoExit = 1u << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

// 0: it has no process that lives.
Result<int> pid_of(const ContainerRecord& record) {
  const ProgramAnswer answer = TRY(call_runtime(record, {"state"}, {}, true));
  rapidjson::Document json;
  if (answer.status != 0 || !parse_json_object(answer.output, "state", kStateLimit, json)) return 0;
  const rapidjson::Value* pid = member_of(json, "pid");
  if (text_member(json, "status") == "stopped" || pid == nullptr || !pid->IsInt()) return 0;
  return std::max(pid->GetInt(), 0);
}

}  // namespace

std::vector<std::string> runtime_command(const std::string& runtime) {
  std::vector<std::string> command = {runtime};
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  // Root in a user namespace of ours may not write to the host root's places.
  if (access("/run", W_OK) != 0 && directory != nullptr && *directory == '/') {
    command.emplace_back("--root");
    command.push_back(std::string(directory) + "/onggi");
  }
  return command;
}

Result<ProgramAnswer> call_runtime(const ContainerRecord& record, std::vector<std::string> before,
                                   std::vector<std::string> behind, bool is_quiet) {
  ProgramCall call;
  call.arguments = runtime_command(record.runtime);
  for (std::string& word : before) call.arguments.push_back(std::move(word));
  call.arguments.push_back(record.id);
  for (std::string& word : behind) call.arguments.push_back(std::move(word));
  call.is_quiet = is_quiet;
  return call_program(call);
}

// Asked again when the descriptor is there: the process may have ended before, and another one may
// have its number.
Result<std::optional<ContainerProcess>> find_process(const ContainerRecord& record) {
  const int pid = TRY(pid_of(record));
  if (pid == 0) return std::optional<ContainerProcess>();
  const long opened = sys::pidfd_open(pid);
  if (opened == -ESRCH) return std::optional<ContainerProcess>();
  if (opened < 0) return system_error(opened, "pidfd_open");
  UniqueFd pidfd(opened);
  if (TRY(pid_of(record)) != pid) return std::optional<ContainerProcess>();
  return std::optional(ContainerProcess{pid, std::move(pidfd)});
}

std::string network_path_of(const ContainerRecord& record) {
  const Result<int> pid = pid_of(record);
  if (!pid || pid.value() == 0) return {};
  return "/proc/" + std::to_string(pid.value()) + "/ns/net";
}

Result<bool> wait_for_process(const ContainerProcess& process, int milliseconds) {
  const int64_t end = sys::nanoseconds(CLOCK_MONOTONIC) + int64_t{milliseconds} * 1'000'000;
  for (;;) {
    int left = -1;
    if (milliseconds >= 0) {
      const int64_t rest = (end - sys::nanoseconds(CLOCK_MONOTONIC)) / 1'000'000;
      left = static_cast<int>(std::max<int64_t>(rest, 0));
    }
    pollfd ended = {process.pidfd.get(), POLLIN, 0};
    const int count = poll(&ended, 1, left);
    if (count < 0 && errno != EINTR) return system_error(-errno, "poll");
    if (count >= 0) return count > 0;
  }
}

// The kernel tells it when the parent has taken note, which it says by a hang-up.
std::optional<int> exit_status_of(const ContainerProcess& process) {
  constexpr int kPatience = 1000;  // milliseconds; a parent that does not care may never do it
  pollfd reaped = {process.pidfd.get(), 0, 0};
  (void)poll(&reaped, 1, kPatience);
  PidfdInfo info = {};
  info.mask = kInfoExit;
  if (sys::ioctl(process.pidfd.get(), kGetInfo, &info) < 0 || (info.mask & kInfoExit) == 0)
    return std::nullopt;
  const int status = info.exit_code;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace onggi::image
