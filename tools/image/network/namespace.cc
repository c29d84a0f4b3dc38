// SPDX-License-Identifier: Apache-2.0
#include "network/namespace.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

namespace onggi::image {
namespace {

constexpr char kInterface[] = "eth0";

Result<> set_loopback_up() {
  const UniqueFd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return system_error(-errno, "socket");
  ifreq request = {};
  std::memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (ioctl(control.get(), SIOCSIFFLAGS, &request) != 0)
    return system_error(-errno, "ioctl", "SIOCSIFFLAGS lo");
  return {};
}

Result<UniqueFd> unshare_network() {
  if (unshare(CLONE_NEWNET) != 0) return system_error(-errno, "unshare", "network namespace");
  TRY(set_loopback_up());
  const long opened = sys::openat(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  if (opened < 0) return system_error(opened, "open", "/proc/thread-self/ns/net");
  return UniqueFd(opened);
}

// A bridge is the one interface that an ioctl(2) makes.
Result<> add_interface(const std::string& address) {
  const UniqueFd control(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!control) return system_error(-errno, "socket");
  ifreq request = {};
  std::memcpy(request.ifr_name, kInterface, sizeof kInterface);
  if (ioctl(control.get(), SIOCBRADDBR, kInterface) != 0)
    return system_error(-errno, "ioctl", "SIOCBRADDBR");
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  if (inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1)
    return make_error(ErrorKind::state, "'", address, "' is not a valid address");
  std::memcpy(&request.ifr_addr, &to, sizeof to);
  if (ioctl(control.get(), SIOCSIFADDR, &request) != 0)
    return system_error(-errno, "ioctl", "SIOCSIFADDR");
  return {};
}

Result<UniqueFd> unshare_stand_in(const std::string& address) {
  UniqueFd made = TRY(unshare_network());
  TRY(add_interface(address));
  return made;
}

// A thread of its own: this one keeps its namespace.
template <class Make>
Result<UniqueFd> made_in_thread(const Make& make) {
  std::optional<Result<UniqueFd>> made;
  std::thread([&] { made.emplace(make()); }).join();
  return std::move(*made);
}

}  // namespace

Result<UniqueFd> make_network_namespace() {
  return made_in_thread(unshare_network);
}

Result<UniqueFd> make_stand_in_namespace(const std::string& address) {
  return made_in_thread([&] { return unshare_stand_in(address); });
}

std::string path_of(const UniqueFd& network) {
  return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(network.get());
}

}  // namespace onggi::image
