// SPDX-License-Identifier: Apache-2.0
// onggi-systemd: one request on standard input, one answer on standard output
// (plan/unit_request.h). Executed by onggi for --systemd-cgroup; not for people to call.
#include "base/file.h"
#include "systemd/bus.h"

#include <unistd.h>

#include <cstring>

namespace onggi::systemd {
namespace {

constexpr size_t kLongestRequest = 1 << 20;

Result<std::string> start(Manager& manager, const plan::UnitRequest& request) {
  TRY(manager.start_unit(request.unit, request.properties));
  return manager.cgroup_of(request.unit);
}

Result<std::string> answer_to(std::string_view bytes) {
  const plan::UnitRequest request = TRY(plan::decode_unit_request(bytes));
  Manager manager = TRY(Manager::connect(request.user));
  switch (request.command) {
    case plan::UnitCommand::start:
      return start(manager, request);
    case plan::UnitCommand::stop:
      TRY(manager.stop_unit(request.unit));
      break;
    case plan::UnitCommand::set:
      TRY(manager.set_properties(request.unit, request.properties));
      break;
  }
  return std::string();
}

Result<std::string> run() {
  return answer_to(TRY(read_all(STDIN_FILENO, "request", kLongestRequest)));
}

}  // namespace
}  // namespace onggi::systemd

int main() {
  using namespace onggi;
  plan::UnitAnswer answer;
  const Result<std::string> result = systemd::run();
  if (!result) {
    answer.error = result.error();
  } else if (result.value().size() >= sizeof answer.cgroup) {
    answer.error = make_error(ErrorKind::system, "the name of the unit's cgroup is too long");
  } else {
    answer.failed = 0;
    memcpy(answer.cgroup, result.value().data(), result.value().size());
  }
  const std::string_view bytes(reinterpret_cast<const char*>(&answer), sizeof answer);
  return write_all(STDOUT_FILENO, "answer", bytes) ? 0 : 1;
}
