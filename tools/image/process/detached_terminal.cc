// SPDX-License-Identifier: Apache-2.0
// The runtime connects, sends one descriptor and goes (runc's docs/terminals.md has the protocol).
#include "process/detached_terminal.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace onggi::image {
namespace {

constexpr const char* kName = "console.socket";
constexpr int kPatience = 30'000;  // milliseconds

Result<> wait_until_readable(int fd) {
  pollfd readable = {fd, POLLIN, 0};
  int count = 0;
  do {
    count = poll(&readable, 1, kPatience);
  } while (count < 0 && errno == EINTR);
  if (count > 0) return {};
  return state_error("the runtime did not send a terminal");
}

}  // namespace

Result<ConsoleSocket> ConsoleSocket::make(int directory) {
  std::string path =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(directory) + "/" + kName;
  UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!listener) return system_error(-errno, "socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  if (bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return system_error(-errno, "bind", kName);
  if (listen(listener.get(), 1) != 0) return system_error(-errno, "listen", kName);
  return ConsoleSocket(directory, std::move(path), std::move(listener));
}

Result<UniqueFd> ConsoleSocket::receive() const {
  TRY(wait_until_readable(listener_.get()));
  const UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!connection) return system_error(-errno, "accept", kName);
  (void)sys::unlinkat(directory_, kName, 0);
  TRY(wait_until_readable(connection.get()));
  char bytes[4096];
  iovec data = {bytes, sizeof bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC) < 0)
    return system_error(-errno, "recvmsg", kName);
  const cmsghdr* sent = CMSG_FIRSTHDR(&message);
  if (sent == nullptr || sent->cmsg_level != SOL_SOCKET || sent->cmsg_type != SCM_RIGHTS ||
      sent->cmsg_len != CMSG_LEN(sizeof(int)))
    return state_error("the runtime did not send a terminal");
  int terminal = -1;
  std::memcpy(&terminal, CMSG_DATA(sent), sizeof terminal);
  return UniqueFd(terminal);
}

}  // namespace onggi::image
