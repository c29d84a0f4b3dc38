// SPDX-License-Identifier: Apache-2.0
// linux.netDevices: interfaces of the runtime's network namespace move into the container's
// (config-linux.md#network-devices). docs/network-devices.md says what moves with them.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/netlink.h"
#include "plan/plan.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace onggi {

// Interfaces that have been moved in for a container being made. Destroyed before keep(), it moves
// them back: a failed `create` is as if it had never been tried. Afterwards they are the
// container's, and nobody's here.
class NetDeviceMove {
 public:
  // All of `devices`, or none. `pid`: of init, which is in the container's network namespace.
  // What is missing, or stands in the way, is an error before any interface is touched; errors
  // name "linux.netDevices.NAME".
  static Result<NetDeviceMove> run(std::span<const plan::NetDevice> devices, int pid);
  NetDeviceMove(NetDeviceMove&&) noexcept = default;
  NetDeviceMove& operator=(NetDeviceMove&&) = delete;
  ~NetDeviceMove();

  void keep() { moved_.clear(); }

 private:
  struct Side {
    UniqueFd name_space;  // keeps it alive, even if init dies
    NetlinkSocket socket;
  };
  struct Interface {
    int32_t index = 0;
    uint32_t flags = 0;                  // IFF_* before the move
    std::string name;                    // on the host
    std::vector<std::string> addresses;  // RTM_NEWADDR messages
  };

  NetDeviceMove(Side host, Side container)
      : host_(std::move(host)), container_(std::move(container)) {}
  static Result<std::optional<Interface>> find(NetlinkSocket& socket, int32_t index,
                                               const std::string& name);
  static Result<> send(Side& from, Side& to, Interface& interface);
  static Result<> settle(Side& there, const Interface& interface, const std::string& name, bool up);
  Result<Interface> examine(const plan::NetDevice& device);
  Result<> move_in(Interface interface, const plan::NetDevice& device);
  Result<> move_back(Interface& interface);

  Side host_, container_;
  std::vector<Interface> moved_;
};

}  // namespace onggi
