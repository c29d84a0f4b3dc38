// SPDX-License-Identifier: Apache-2.0
// onggi-systemd: one request on standard input, one answer on standard output
// (plan/unit_request.h). Executed by onggi for --systemd-cgroup; not for people to call.
#include "base/answer.h"
#include "systemd/bus.h"

namespace onggi::systemd {
namespace {

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

}  // namespace
}  // namespace onggi::systemd

int main() {
  return onggi::answer_one(onggi::systemd::answer_to);
}
