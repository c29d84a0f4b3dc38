// SPDX-License-Identifier: Apache-2.0
// The kernel takes addresses and routes from an interface that changes its namespace, and may give
// it another index and another name. So it travels under a name that nobody else has, by which it
// is found on the other side, and gets its own name and addresses there.
#include "linux/net_devices.h"

#include "base/log.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>

#include <algorithm>

namespace onggi {
namespace {

using LinkRequest = NetlinkMessage<ifinfomsg>;
using AddressRequest = NetlinkMessage<ifaddrmsg>;

LinkRequest link_request(int32_t index) {
  ifinfomsg link = {};
  link.ifi_index = index;
  return LinkRequest(link);
}

// One at a time and one a process: unique as long as it is in use. At most 15 bytes.
std::string travel_name() {
  return "onggi-" + std::to_string(sys::getpid());
}

Result<UniqueFd> open_namespace(const std::string& process) {
  const std::string path = "/proc/" + process + "/ns/net";
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", path);
  return UniqueFd(opened);
}

// config-linux.md: permanent, and of global scope. What the kernel or a router gave comes again by
// itself.
bool is_kept(std::string_view message) {
  const auto address = netlink_body<ifaddrmsg>(message);
  uint32_t flags = address.ifa_flags;
  for (const NetlinkAttribute& attribute : netlink_attributes(message, sizeof address)) {
    if (attribute.type == IFA_FLAGS && attribute.value.size() == sizeof flags)
      memcpy(&flags, attribute.value.data(), sizeof flags);
  }
  return address.ifa_scope == RT_SCOPE_UNIVERSE && (flags & IFA_F_PERMANENT) != 0;
}

Result<std::vector<std::string>> kept_addresses(NetlinkSocket& socket, int32_t index) {
  std::vector<std::string> kept;
  for (std::string& message :
       TRY(socket.ask(RTM_GETADDR, NLM_F_DUMP, AddressRequest().bytes(), "RTM_GETADDR"))) {
    const auto address = netlink_body<ifaddrmsg>(message);
    if (address.ifa_index == static_cast<uint32_t>(index) && is_kept(message))
      kept.push_back(std::move(message));
  }
  return kept;
}

// The request that makes the address again: with its peer, broadcast address, metric and flags, but
// without the age, which is that of a permanent one, and with a label that follows the name
// ("eth0:1").
std::string address_request(std::string_view message, int32_t index, const std::string& old_name,
                            const std::string& name) {
  auto address = netlink_body<ifaddrmsg>(message);
  address.ifa_index = static_cast<uint32_t>(index);
  AddressRequest request(address);
  for (const NetlinkAttribute& attribute : netlink_attributes(message, sizeof address)) {
    if (attribute.type == IFA_CACHEINFO) continue;
    if (attribute.type != IFA_LABEL) {
      request.add(attribute.type, attribute.value);
      continue;
    }
    const std::string_view label = attribute.value.substr(0, attribute.value.find('\0'));
    if (!label.starts_with(old_name + ":")) continue;
    const std::string renamed = name + std::string(label.substr(old_name.size()));
    if (renamed.size() < IFNAMSIZ) request.add_name(IFA_LABEL, renamed);
  }
  return std::string(request.bytes());
}

}  // namespace

// By its name (or one of its alternative names), or by its index. Nothing: there is none.
Result<std::optional<NetDeviceMove::Interface>> NetDeviceMove::find(NetlinkSocket& socket,
                                                                    int32_t index,
                                                                    const std::string& name) {
  LinkRequest request = link_request(index);
  if (!name.empty()) request.add_name(IFLA_IFNAME, name);
  request.add(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  auto answer = socket.ask(RTM_GETLINK, 0, request.bytes(), "RTM_GETLINK");
  if (!answer && answer.error().errnum == ENODEV) return std::optional<Interface>();
  const std::vector<std::string> messages = TRY(std::move(answer));
  if (messages.empty()) return make_error(ErrorKind::system, "RTM_GETLINK: empty answer");
  const auto link = netlink_body<ifinfomsg>(messages[0]);
  Interface found{.index = link.ifi_index, .flags = link.ifi_flags, .name = name, .addresses = {}};
  for (const NetlinkAttribute& attribute : netlink_attributes(messages[0], sizeof link)) {
    if (attribute.type == IFLA_IFNAME)
      found.name = attribute.value.substr(0, attribute.value.find('\0'));
  }
  return std::optional(std::move(found));
}

// Everything that can be known to be in the way: nothing has been touched yet, and what an
// interface loses when it moves (routes, its bridge) cannot be given back.
Result<NetDeviceMove::Interface> NetDeviceMove::examine(const plan::NetDevice& device) {
  std::optional<Interface> found = TRY(find(host_.socket, 0, device.host_name));
  if (!found) {
    return make_error(ErrorKind::system, "the host's network namespace has no interface '",
                      device.host_name, "'");
  }
  if ((found->flags & IFF_LOOPBACK) != 0)
    return make_error(ErrorKind::unsupported, "a loopback interface cannot be moved");
  if (!device.is_template() && TRY(find(container_.socket, 0, device.name))) {
    return with_hint(make_error(ErrorKind::system,
                                "the container's network namespace already has an interface '",
                                device.name, "'"),
                     "choose another name, or use %d for the next free number");
  }
  found->addresses = TRY(kept_addresses(host_.socket, found->index));
  return std::move(*found);
}

// To the other side, where its index may be another one.
Result<> NetDeviceMove::send(Side& from, Side& to, Interface& interface) {
  const std::string travelling = travel_name();
  LinkRequest request = link_request(interface.index);
  request.add(IFLA_NET_NS_FD, static_cast<uint32_t>(to.name_space.get()))
      .add_name(IFLA_IFNAME, travelling);
  TRY(from.socket.ask(RTM_SETLINK, 0, request.bytes(), "RTM_SETLINK netns"));
  const std::optional<Interface> arrived = TRY(find(to.socket, 0, travelling));
  if (!arrived) return make_error(ErrorKind::system, "the interface no longer exists");
  interface.index = arrived->index;
  return {};
}

// Name, state and addresses, after it has arrived. IPv4 routes of a prefix come with addresses only
// while the interface is up, so that comes first.
Result<> NetDeviceMove::settle(Side& there, const Interface& interface, const std::string& name,
                               bool up) {
  LinkRequest rename = link_request(interface.index);
  rename.add_name(IFLA_IFNAME, name);
  const std::string what = "RTM_SETLINK name '" + name + "'";
  TRY(there.socket.ask(RTM_SETLINK, 0, rename.bytes(), what));
  const std::optional<Interface> renamed = TRY(find(there.socket, interface.index, ""));
  if (!renamed) return make_error(ErrorKind::system, "the interface no longer exists");
  if (up) {
    ifinfomsg link = {};
    link.ifi_index = interface.index;
    link.ifi_flags = link.ifi_change = IFF_UP;
    TRY(there.socket.ask(RTM_SETLINK, 0, LinkRequest(link).bytes(), "RTM_SETLINK up"));
  }
  for (const std::string& address : interface.addresses) {
    const std::string request =
        address_request(address, interface.index, interface.name, renamed->name);
    TRY(there.socket.ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, request, "RTM_NEWADDR"));
  }
  return {};
}

Result<> NetDeviceMove::move_in(Interface interface, const plan::NetDevice& device) {
  // Without a new name it keeps its own, also where config.json has an alternative name of it.
  const std::string name = device.name == device.host_name ? interface.name : device.name;
  TRY(send(host_, container_, interface));
  moved_.push_back(interface);  // from here on the destructor has something to move back
  return settle(container_, interface, name, true);
}

Result<> NetDeviceMove::move_back(Interface& interface) {
  TRY(send(container_, host_, interface));
  return settle(host_, interface, interface.name, (interface.flags & IFF_UP) != 0);
}

Result<NetDeviceMove> NetDeviceMove::run(std::span<const plan::NetDevice> devices, int pid) {
  UniqueFd ours = TRY(open_namespace("self"));
  UniqueFd theirs = TRY(open_namespace(std::to_string(pid)));
  NetlinkSocket inside = TRY(NetlinkSocket::open_in(theirs.get()));
  NetDeviceMove move({std::move(ours), TRY(NetlinkSocket::open())},
                     {std::move(theirs), std::move(inside)});
  std::vector<Interface> interfaces;
  for (const plan::NetDevice& device : devices) {
    interfaces.push_back(TRY_AT(device.place, move.examine(device)));
  }
  for (size_t i = 0; i < devices.size(); i++) {
    TRY_AT(devices[i].place, move.move_in(std::move(interfaces[i]), devices[i]));
  }
  return move;
}

NetDeviceMove::~NetDeviceMove() {
  while (!moved_.empty()) {
    const Result<> moved = move_back(moved_.back());
    if (!moved) {
      log::warn(text<256>("interface ", moved_.back().name,
                          " cannot be moved back: ", moved.error().message.view(), ", ignoring")
                    .view());
    }
    moved_.pop_back();
  }
}

}  // namespace onggi
