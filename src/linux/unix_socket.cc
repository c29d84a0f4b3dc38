// SPDX-License-Identifier: Apache-2.0
// sun_path holds 107 bytes only; /proc/self/fd/N/NAME names a socket in a directory of any depth.
#include "linux/unix_socket.h"

#include "base/file.h"

#include <sys/time.h>

#include <cstring>

namespace onggi {
namespace {

struct Address {
  sockaddr_un value = {};
  size_t size = sizeof(sockaddr_un);
  UniqueFd directory;  // what `value` goes through
};

Result<Address> address_of(const std::string& path) {
  Address address;
  address.value.sun_family = AF_UNIX;
  std::string reachable = path;
  if (path.size() >= sizeof address.value.sun_path) {
    const size_t slash = path.rfind('/');
    const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    address.directory = TRY(open_directory(AT_FDCWD, parent));
    reachable =
        "/proc/self/fd/" + std::to_string(address.directory.get()) + "/" + path.substr(slash + 1);
  }
  if (reachable.size() >= sizeof address.value.sun_path)
    return system_error(-ENAMETOOLONG, "connect", path);
  std::memcpy(address.value.sun_path, reachable.data(), reachable.size());
  return address;
}

// Without a file: the length is part of the name (unix(7)).
Result<Address> abstract_address(const std::string& name) {
  Address address;
  address.value.sun_family = AF_UNIX;
  if (name.size() > sizeof address.value.sun_path)
    return system_error(-ENAMETOOLONG, "connect", name);
  std::memcpy(address.value.sun_path + 1, name.data() + 1, name.size() - 1);
  address.size = offsetof(sockaddr_un, sun_path) + name.size();
  return address;
}

}  // namespace

Result<UniqueFd> connect_to_socket(const std::string& path, int timeout_seconds) {
  const Address address = TRY(address_of(path));
  const long created = sys::socket(AF_UNIX, SOCK_STREAM);
  if (created < 0) return system_error(created, "socket", path);
  UniqueFd connection(created);
  const timeval limit{.tv_sec = timeout_seconds, .tv_usec = 0};
  (void)sys::call(SYS_setsockopt, connection.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const long connected = sys::connect(connection.get(), address.value, address.size);
  if (connected < 0) return system_error(connected, "connect", path);
  return connection;
}

Result<UniqueFd> connect_to_datagram_socket(const std::string& path) {
  const Address address = TRY(path.starts_with('@') ? abstract_address(path) : address_of(path));
  const long created = sys::socket(AF_UNIX, SOCK_DGRAM);
  if (created < 0) return system_error(created, "socket", path);
  UniqueFd connection(created);
  const long connected = sys::connect(connection.get(), address.value, address.size);
  if (connected < 0) return system_error(connected, "connect", path);
  return connection;
}

// The kernel compares the types of both ends after it has found a living socket and before it
// connects them (unix_find_bsd), so a datagram socket only gets as far as EPROTOTYPE.
Result<> check_socket(const std::string& path) {
  const Address address = TRY(address_of(path));
  const long created = sys::socket(AF_UNIX, SOCK_DGRAM);
  if (created < 0) return system_error(created, "socket", path);
  const UniqueFd probe(created);
  const long connected = sys::connect(probe.get(), address.value, address.size);
  if (connected == -EPROTOTYPE) return {};
  return system_error(connected < 0 ? connected : -EPROTOTYPE, "connect", path);
}

}  // namespace onggi
