// SPDX-License-Identifier: Apache-2.0
// sun_path holds 107 bytes only; /proc/self/fd/N/NAME names a socket in a directory of any depth.
#include "linux/unix_socket.h"

#include "base/file.h"
#include "linux/waiting.h"

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

// Of each attempt to connect or to send (unix(7), socket(7)).
void limit_sending(int socket, long milliseconds) {
  const timeval limit{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  (void)sys::call(SYS_setsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

}  // namespace

// connect(2) to a listener whose queue is full waits, and cannot be polled for: so it waits a
// little at a time.
Result<UniqueFd> connect_to_socket(const std::string& path, int signals) {
  const Address address = TRY(address_of(path));
  const long created = sys::socket(AF_UNIX, SOCK_STREAM);
  if (created < 0) return system_error(created, "socket", path);
  UniqueFd connection(created);
  limit_sending(connection.get(), 100);
  for (int attempt = 0; attempt < kSendAttempts; attempt++) {
    const long connected = sys::connect(connection.get(), address.value, address.size);
    if (connected == 0) return connection;
    if (connected != -EAGAIN) return system_error(connected, "connect", path);
    TRY(check_interrupted(signals));
  }
  return with_hint(system_error(-ETIMEDOUT, "connect", path),
                   "the listener has not accepted a connection for 10 seconds: its queue is full");
}

Result<UniqueFd> connect_to_datagram_socket(const std::string& path) {
  const Address address = TRY(path.starts_with('@') ? abstract_address(path) : address_of(path));
  const long created = sys::socket(AF_UNIX, SOCK_DGRAM);
  if (created < 0) return system_error(created, "socket", path);
  UniqueFd connection(created);
  limit_sending(connection.get(), 10'000);
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
