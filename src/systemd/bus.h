// SPDX-License-Identifier: Apache-2.0
// systemd's manager over sd-bus: the four calls that a container needs. No policy: what a unit is
// to be like comes with the request.
#pragma once

#include "base/result.h"
#include "plan/unit_request.h"

#include <systemd/sd-bus.h>

#include <cstdint>
#include <span>
#include <string>

namespace onggi::systemd {

// A connection to the system's manager, or to that of the caller's user. All calls together have
// half a minute.
class Manager {
 public:
  // Over the bus; where there is none, by the socket of the manager itself, as systemctl(1) does
  // for root.
  static Result<Manager> connect(bool user);
  Manager(Manager&& other) noexcept
      : bus_(std::exchange(other.bus_, nullptr)), deadline_(other.deadline_) {}
  Manager& operator=(Manager&&) = delete;
  ~Manager() { sd_bus_close_unref(bus_); }

  // Each returns when systemd has done the whole of it. EEXIST: there is a unit of that name.
  Result<> start_unit(const std::string& unit, std::span<const plan::UnitProperty> properties);
  Result<> stop_unit(const std::string& unit);
  Result<> set_properties(const std::string& unit, std::span<const plan::UnitProperty> properties);

  Result<std::string> cgroup_of(const std::string& unit);

 private:
  Manager(sd_bus* bus, uint64_t deadline) : bus_(bus), deadline_(deadline) {}

  sd_bus* bus_;
  uint64_t deadline_;  // CLOCK_MONOTONIC, microseconds
};

}  // namespace onggi::systemd
