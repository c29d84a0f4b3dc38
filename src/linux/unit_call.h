// SPDX-License-Identifier: Apache-2.0
// Calls to systemd, which onggi-systemd makes for us: libsystemd exists as a shared library only,
// and a D-Bus connection is nothing that the runtime should hold (docs/adr/005-systemd-helper.md).
#pragma once

#include "base/result.h"
#include "linux/companion.h"
#include "plan/host_facts.h"
#include "plan/unit_request.h"

#include <string>

namespace onggi {

// Whether such calls can be made: onggi-systemd is part of this program, and there is a socket of
// the system's manager or of the caller's own (`user`). Nothing is sent.
plan::SystemdAccess probe_systemd(bool user);

// Waits at most about half a minute. The answer is the unit's cgroup as systemd names it, after
// UnitCommand::start. EEXIST: there is a unit of that name already, which is somebody else's.
Result<CompanionCall> ask_systemd(const plan::UnitRequest& request);

// ask_systemd() and wait().
Result<> call_systemd(const plan::UnitRequest& request, int signals);

// Ends what is left in it; one that is gone is success.
Result<> stop_unit(const std::string& name, bool user, int signals);

}  // namespace onggi
