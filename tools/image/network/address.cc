// SPDX-License-Identifier: Apache-2.0
#include "network/address.h"

#include <arpa/inet.h>

namespace onggi::image {

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  return inet_ntop(family, bytes.data(), buffer, sizeof buffer) == nullptr ? std::string() : buffer;
}

std::optional<IpAddress> parse_address(std::string_view text) {
  const bool is_bracketed = text.starts_with('[') && text.ends_with(']') && text.size() > 2;
  const std::string address(is_bracketed ? text.substr(1, text.size() - 2) : text);
  for (int family : {AF_INET, AF_INET6}) {
    IpAddress parsed{family, {}};
    if (is_bracketed && family == AF_INET) continue;
    if (inet_pton(family, address.c_str(), parsed.bytes.data()) == 1) return parsed;
  }
  return std::nullopt;
}

}  // namespace onggi::image
