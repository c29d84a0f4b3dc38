// SPDX-License-Identifier: Apache-2.0
#include "linux/unit_call.h"

#include <cstdlib>

namespace onggi {
namespace {

// An empty variable is as good as none.
std::string variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

bool exists(const std::string& path) {
  return sys::call(SYS_faccessat, AT_FDCWD, path.c_str(), 0) == 0;
}

}  // namespace

plan::SystemdAccess probe_systemd(bool user) {
  if (kSystemdProgram == nullptr) return plan::SystemdAccess::not_built;
  bool found = false;
  if (user) {
    const std::string directory = variable("XDG_RUNTIME_DIR");
    found = !variable("DBUS_SESSION_BUS_ADDRESS").empty() ||
            (!directory.empty() &&
             (exists(directory + "/bus") || exists(directory + "/systemd/private")));
  } else {
    found = exists("/run/systemd/private") ||
            (exists("/run/dbus/system_bus_socket") && exists("/run/systemd/system"));
  }
  return found ? plan::SystemdAccess::ready : plan::SystemdAccess::no_bus;
}

Result<CompanionCall> ask_systemd(const plan::UnitRequest& request) {
  if (kSystemdProgram == nullptr)
    return make_error(ErrorKind::unsupported, "this onggi was built without libsystemd");
  return CompanionCall::start(*kSystemdProgram, plan::encode(request));
}

Result<> call_systemd(const plan::UnitRequest& request, int signals) {
  CompanionCall call = TRY(ask_systemd(request));
  TRY(call.wait(signals));
  return {};
}

Result<> stop_unit(const std::string& name, bool user, int signals) {
  return call_systemd(
      {.command = plan::UnitCommand::stop, .user = user, .unit = name, .properties = {}}, signals);
}

}  // namespace onggi
