// SPDX-License-Identifier: Apache-2.0
// Calls to systemd, which onggi-systemd makes for us: libsystemd exists as a shared library only,
// and a D-Bus connection is nothing that the runtime should hold (docs/adr/005-systemd-helper.md).
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/clone.h"
#include "plan/host_facts.h"
#include "plan/unit_request.h"

#include <string>

namespace onggi {

// Whether such calls can be made: onggi-systemd is part of this program, and there is a socket of
// the system's manager or of the caller's own (`user`). Nothing is sent.
plan::SystemdAccess probe_systemd(bool user);

// A call that is under way. Ends with us; destroyed before wait(), it is given up.
class UnitCall {
 public:
  static Result<UnitCall> start(const plan::UnitRequest& request);
  UnitCall(UnitCall&& other) noexcept = default;
  UnitCall& operator=(UnitCall&&) = delete;
  ~UnitCall();

  // At most about half a minute. The unit's cgroup as systemd names it, after UnitCommand::start.
  // EEXIST: there is a unit of that name already, which is somebody else's. `signals` is a
  // descriptor of block_signals() or -1: one that would have ended us ends the wait with an error.
  Result<std::string> wait(int signals);

 private:
  UnitCall(Child child, UniqueFd answer) : child_(std::move(child)), answer_(std::move(answer)) {}

  Child child_;
  UniqueFd answer_;
};

// start() and wait().
Result<> call_systemd(const plan::UnitRequest& request, int signals = -1);

// Ends what is left in it; one that is gone is success.
Result<> stop_unit(const std::string& name, bool user);

}  // namespace onggi
