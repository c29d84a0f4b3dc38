// SPDX-License-Identifier: Apache-2.0
// An IPv4 or IPv6 address as a value.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace onggi::image {

struct IpAddress {
  int family = AF_INET;                // or AF_INET6
  std::array<uint8_t, 16> bytes = {};  // in network order; four of them for IPv4

  bool operator==(const IpAddress&) const = default;
  bool is_ipv6() const { return family == AF_INET6; }
  bool is_unspecified() const { return bytes == std::array<uint8_t, 16>{}; }
  std::string text() const;
  // With a port: in brackets if it is IPv6 (RFC 3986).
  std::string text_for_port() const { return is_ipv6() ? "[" + text() + "]" : text(); }
};

// As inet_pton(3) has it; IPv6 also in brackets.
std::optional<IpAddress> parse_address(std::string_view text);

// 0.0.0.0 or ::.
inline IpAddress every_address(int family) {
  return {family, {}};
}

}  // namespace onggi::image
