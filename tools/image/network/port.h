// SPDX-License-Identifier: Apache-2.0
// Published ports as values: what --publish asks for, and what has become of it.
#pragma once

#include "base/result.h"
#include "network/address.h"

#include <vector>

namespace onggi::image {

enum class Protocol : uint8_t { tcp, udp, sctp };
std::string_view name_of(Protocol protocol);

// One port of the container, and the ports of the host of which one is to be taken.
struct PortRequest {
  std::optional<IpAddress> address;  // of the host; none: all that the network publishes at
  uint16_t first = 0, last = 0;      // both 0: any free port
  uint16_t container = 0;
  Protocol protocol = Protocol::tcp;

  bool operator==(const PortRequest&) const = default;
};

struct PortMapping {
  std::optional<IpAddress> address;  // as in the request
  uint16_t host = 0, container = 0;
  Protocol protocol = Protocol::tcp;

  bool operator==(const PortMapping&) const = default;
};

// The forms of docker's --publish:
//   CONTAINER  HOST:CONTAINER  ADDRESS:HOST:CONTAINER  ADDRESS::CONTAINER   each with /tcp|udp|sctp
// HOST and CONTAINER may be ranges: of equal length, or a range of the host for one port.
Result<std::vector<PortRequest>> parse_ports(std::string_view text);

// "127.0.0.1:8080:80/tcp", which parse_mappings() reads; also what --publish had, if that left
// nothing to choose.
std::string text_of(const PortMapping& port);
std::vector<std::string> texts_of(const std::vector<PortMapping>& ports);
Result<std::vector<PortMapping>> parse_mappings(std::string_view text);

// The same port again.
inline PortRequest request_for(const PortMapping& port) {
  return {port.address, port.host, port.host, port.container, port.protocol};
}

// "127.0.0.1:8080/tcp": the host's side, for messages.
std::string host_side_of(const PortMapping& port);

// One packet from outside could be meant for either.
bool overlap(const PortMapping& one, const PortMapping& other);

}  // namespace onggi::image
