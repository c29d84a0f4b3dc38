// SPDX-License-Identifier: Apache-2.0
// The host's ports that a container publishes. Rules of a firewall take packets before any socket
// sees them, so only a socket of ours tells the host's programs that a port is in use, and us that
// it is theirs.
#pragma once

#include "base/fd.h"
#include "network/port.h"

namespace onggi::image {

// What a network publishes where no address of the host is named.
struct Families {
  bool ipv4 = true, ipv6 = false;
};

class HeldPorts {
 public:
  HeldPorts() = default;
  // Chooses the ports that are left open, and binds all, so that neither SO_REUSEADDR nor another
  // address of the host gets anybody else in. Who connects to such a socket is refused. Errors name
  // the port: in use, not ours to take, or of an address that the host does not have. SCTP is not
  // held on a kernel without SCTP: nobody else can have such a port either.
  static Result<HeldPorts> hold(const std::vector<PortRequest>& requests, Families families);

  const std::vector<PortMapping>& mappings() const { return mappings_; }
  // For the program that opens them itself.
  void release() { sockets_.clear(); }

 private:
  std::vector<PortMapping> mappings_;
  std::vector<UniqueFd> sockets_;
};

}  // namespace onggi::image
