// SPDX-License-Identifier: Apache-2.0
#include "network/port.h"

#include "base/split.h"
#include "base/text.h"

#include <algorithm>
#include <utility>

namespace onggi::image {
namespace {

constexpr std::pair<Protocol, std::string_view> kProtocols[] = {
    {Protocol::tcp, "tcp"}, {Protocol::udp, "udp"}, {Protocol::sctp, "sctp"}};
constexpr std::string_view kForms = "[[ADDRESS:][HOST]:]CONTAINER[/tcp|udp|sctp]";

struct Range {
  uint16_t first = 0, last = 0;
  int size() const { return last - first + 1; }
};

std::optional<Range> parse_range(std::string_view text) {
  const size_t dash = std::min(text.find('-'), text.size());
  const auto first = parse_decimal<uint16_t>(text.substr(0, dash));
  const auto last = dash == text.size() ? first : parse_decimal<uint16_t>(text.substr(dash + 1));
  if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

Error wrong(std::string_view text, std::string_view reason) {
  return with_hint(make_error(ErrorKind::invalid_config, "--publish '", text,
                              "' is not a valid port mapping: ", reason),
                   kForms);
}

// "80/udp" -> "80"
std::optional<Protocol> take_protocol(std::string_view& text) {
  const size_t slash = text.find('/');
  if (slash == text.npos) return Protocol::tcp;
  const auto* found = std::ranges::find(kProtocols, text.substr(slash + 1),
                                        &std::pair<Protocol, std::string_view>::second);
  text = text.substr(0, slash);
  if (found == std::end(kProtocols)) return std::nullopt;
  return found->first;
}

struct Parts {
  std::string_view address, host, container;
};
// From behind: an IPv6 address has colons, too.
Parts parts_of(std::string_view text) {
  Parts parts;
  const size_t inner = text.rfind(':');
  if (inner == text.npos) return {{}, {}, text};
  parts.container = text.substr(inner + 1);
  text = text.substr(0, inner);
  const size_t outer = text.rfind(':');
  parts.host = outer == text.npos ? text : text.substr(outer + 1);
  if (outer != text.npos) parts.address = text.substr(0, outer);
  return parts;
}

// The `i`th of the container's.
PortRequest nth_request(const PortRequest& common, std::optional<Range> host, Range container,
                        int i) {
  PortRequest request = common;
  request.container = static_cast<uint16_t>(container.first + i);
  if (!host) return request;
  const bool is_any_of_range = container.size() == 1;
  request.first = is_any_of_range ? host->first : static_cast<uint16_t>(host->first + i);
  request.last = is_any_of_range ? host->last : request.first;
  return request;
}

}  // namespace

std::string_view name_of(Protocol protocol) {
  return std::ranges::find(kProtocols, protocol, &std::pair<Protocol, std::string_view>::first)
      ->second;
}

Result<std::vector<PortRequest>> parse_ports(std::string_view text) {
  PortRequest common;
  std::string_view rest = text;
  const std::optional<Protocol> protocol = take_protocol(rest);
  if (!protocol) return wrong(text, "unknown protocol");
  common.protocol = *protocol;
  const Parts parts = parts_of(rest);
  if (!parts.address.empty()) {
    common.address = parse_address(parts.address);
    if (!common.address) return wrong(text, "the address is not an IPv4 or IPv6 address");
  }
  const std::optional<Range> container = parse_range(parts.container);
  if (!container) return wrong(text, "ports are numbers from 1 to 65535");
  std::optional<Range> host;
  if (!parts.host.empty()) {
    host = parse_range(parts.host);
    if (!host) return wrong(text, "ports are numbers from 1 to 65535");
    if (container->size() != 1 && container->size() != host->size())
      return wrong(text, "the ranges have different lengths");
  }
  std::vector<PortRequest> all;
  all.reserve(static_cast<size_t>(container->size()));
  for (int i = 0; i < container->size(); ++i)
    all.push_back(nth_request(common, host, *container, i));
  return all;
}

std::string text_of(const PortMapping& port) {
  std::string text = port.address ? port.address->text_for_port() + ":" : std::string();
  text.append(std::to_string(port.host)).append(":").append(std::to_string(port.container));
  return text.append("/").append(name_of(port.protocol));
}

std::vector<std::string> texts_of(const std::vector<PortMapping>& ports) {
  std::vector<std::string> texts;
  texts.reserve(ports.size());
  for (const PortMapping& port : ports) texts.push_back(text_of(port));
  return texts;
}

Result<std::vector<PortMapping>> parse_mappings(std::string_view text) {
  std::vector<PortMapping> all;
  for (const PortRequest& each : TRY(parse_ports(text))) {
    if (each.first != each.last || each.first == 0) return wrong(text, "the host's port is open");
    all.push_back({each.address, each.first, each.container, each.protocol});
  }
  return all;
}

std::string host_side_of(const PortMapping& port) {
  const std::string address = port.address ? port.address->text_for_port() + ":" : std::string();
  return address + std::to_string(port.host) + "/" + std::string(name_of(port.protocol));
}

bool overlap(const PortMapping& one, const PortMapping& other) {
  if (one.protocol != other.protocol || one.host != other.host) return false;
  if (!one.address || !other.address) return true;
  if (one.address->family != other.address->family) return false;
  return one.address->is_unspecified() || other.address->is_unspecified() ||
         *one.address == *other.address;
}

}  // namespace onggi::image
