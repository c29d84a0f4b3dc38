// SPDX-License-Identifier: Apache-2.0
#include "network/held_ports.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace onggi::image {
namespace {

// A free port of one family may be in use in the other.
constexpr int kMostTries = 64;

bool is_without_protocol(int number) {
  return number == EPROTONOSUPPORT || number == ESOCKTNOSUPPORT;
}

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const IpAddress& address, uint16_t port) {
  SocketAddress made;
  if (address.is_ipv6()) {
    auto& to = reinterpret_cast<sockaddr_in6&>(made.storage);
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(port);
    std::memcpy(&to.sin6_addr, address.bytes.data(), sizeof to.sin6_addr);
    made.size = sizeof to;
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(made.storage);
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    std::memcpy(&to.sin_addr, address.bytes.data(), sizeof to.sin_addr);
    made.size = sizeof to;
  }
  return made;
}

uint16_t port_of(int socket) {
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (getsockname(socket, bound.get(), &bound.size) != 0) return 0;
  return ntohs(bound.storage.ss_family == AF_INET6
                   ? reinterpret_cast<sockaddr_in6&>(bound.storage).sin6_port
                   : reinterpret_cast<sockaddr_in&>(bound.storage).sin_port);
}

// What the rules of the firewall let through to us is of no use to anybody, and takes no memory.
void drop_all_packets(int socket) {
  sock_filter drop = {BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog filter = {1, &drop};
  (void)setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

// To listen makes the port ours alone, in spite of SO_REUSEADDR. Then the socket need not listen
// any longer, and does not get those clients that the rules of the firewall let through: they are
// refused, and do not wait for an answer. It stays bound, because its port was asked for
// (tcp_disconnect() of the kernel), now without SO_REUSEADDR, which would let others in.
long take_alone(int socket) {
  const int no = 0;
  if (listen(socket, 1) != 0) return -errno;
  if (shutdown(socket, SHUT_RDWR) != 0) return -errno;
  if (setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &no, sizeof no) != 0) return -errno;
  return 0;
}

// A socket, or the negated errno. Without SO_REUSEADDR a bind fails while connections of a server
// that has ended are in TIME_WAIT (ip(7)).
long bound_socket(const IpAddress& address, uint16_t port, Protocol protocol) {
  const bool is_udp = protocol == Protocol::udp;
  UniqueFd made(socket(address.family, (is_udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC,
                       protocol == Protocol::sctp ? IPPROTO_SCTP : 0));
  if (!made) return -errno;
  const int yes = 1;
  if (address.is_ipv6()) (void)setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (is_udp)
    drop_all_packets(made.get());
  else
    (void)setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  SocketAddress to = socket_address(address, port);
  if (bind(made.get(), to.get(), to.size) != 0) return -errno;
  const long alone = is_udp ? 0 : take_alone(made.get());
  if (alone < 0) return alone;
  return made.release();
}

// A port, or a negated errno.
long free_port(const IpAddress& address, Protocol protocol) {
  const long made = bound_socket(address, 0, protocol);
  if (made < 0) return made;
  return port_of(UniqueFd(made).get());
}

std::vector<IpAddress> addresses_of(const PortRequest& request, Families families) {
  if (request.address) return {*request.address};
  std::vector<IpAddress> all;
  if (families.ipv4) all.push_back(every_address(AF_INET));
  if (families.ipv6) all.push_back(every_address(AF_INET6));
  return all;
}

const char* cure_of(int number) {
  switch (number) {
    case EADDRINUSE:
      return "choose a host port that is not in use; --publish CONTAINER takes a free one";
    case EACCES:
      return "ports below the sysctl net.ipv4.ip_unprivileged_port_start require root";
    case EADDRNOTAVAIL:
      return "the host has no such address";
    default:
      return "";
  }
}

Error cannot_bind(long result, const PortMapping& port) {
  return with_hint(system_error(result, "bind", host_side_of(port)),
                   cure_of(static_cast<int>(-result)));
}

// All sockets of one port, or none.
class OnePort {
 public:
  OnePort(const PortRequest& request, Families families)
      : request_(request), addresses_(addresses_of(request, families)) {}

  // The port, or a negated errno.
  long take(uint16_t port) {
    sockets_.clear();
    for (const IpAddress& address : addresses_) {
      const long made = bound_socket(address, port, request_.protocol);
      // Without IPv6 there is nobody to ask for it.
      if (made == -EAFNOSUPPORT && !request_.address && address.is_ipv6()) continue;
      if (request_.protocol == Protocol::sctp && is_without_protocol(static_cast<int>(-made)))
        continue;
      if (made < 0) return made;
      sockets_.emplace_back(made);
    }
    return port;
  }
  // The kernel chooses. Only a port that is asked for stays with a socket that listens no longer.
  long take_free() {
    long taken = -EADDRINUSE;
    for (int i = 0; i < kMostTries && taken == -EADDRINUSE; ++i) {
      const long free = free_port(addresses_.front(), request_.protocol);
      taken = free < 0 ? free : take(static_cast<uint16_t>(free));
    }
    return taken;
  }
  long take_one_of_range() {
    long taken = -EADDRINUSE;
    for (int port = request_.first; port <= request_.last && taken == -EADDRINUSE; ++port)
      taken = take(static_cast<uint16_t>(port));
    return taken;
  }
  std::vector<UniqueFd> take_over() { return std::move(sockets_); }

 private:
  const PortRequest& request_;
  std::vector<IpAddress> addresses_;
  std::vector<UniqueFd> sockets_;
};

}  // namespace

Result<HeldPorts> HeldPorts::hold(const std::vector<PortRequest>& requests, Families families) {
  HeldPorts held;
  for (size_t i = 0; i < requests.size(); ++i) {
    const PortRequest& request = requests[i];
    const bool is_said_before = std::find(requests.begin(), requests.begin() + static_cast<long>(i),
                                          request) != requests.begin() + static_cast<long>(i);
    if (is_said_before && request.first != 0 && request.first == request.last) continue;
    OnePort port(request, families);
    const long taken = request.first == 0 ? port.take_free() : port.take_one_of_range();
    PortMapping mapping{request.address, request.first, request.container, request.protocol};
    if (taken < 0) return cannot_bind(taken, mapping);
    mapping.host = static_cast<uint16_t>(taken);
    held.mappings_.push_back(mapping);
    for (UniqueFd& each : port.take_over()) held.sockets_.push_back(std::move(each));
  }
  return held;
}

}  // namespace onggi::image
