// SPDX-License-Identifier: Apache-2.0
// sun_path holds 107 bytes only; /proc/self/fd/N/start.sock names a socket in a directory of any
// depth.
#include "linux/start_socket.h"

#include "linux/socket_message.h"

#include <algorithm>

namespace onggi {
namespace {

sockaddr_un address_in(int directory) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const auto path = text<sizeof address.sun_path>("/proc/self/fd/", directory, "/", kStartSocket);
  std::ranges::copy(path.view(), address.sun_path);
  return address;
}

}  // namespace

Result<UniqueFd> listen_for_start(int directory) {
  const long opened = sys::socket(AF_UNIX, SOCK_SEQPACKET);
  if (opened < 0) return system_error(opened, "socket");
  UniqueFd socket(opened);
  const long bound = sys::bind(socket.get(), address_in(directory), sizeof(sockaddr_un));
  if (bound < 0) return system_error(bound, "bind", kStartSocket);
  const long listening = sys::listen(socket.get(), 8);
  if (listening < 0) return system_error(listening, "listen", kStartSocket);
  return socket;
}

Result<UniqueFd> ask_to_start(int directory) {
  const long opened = sys::socket(AF_UNIX, SOCK_SEQPACKET);
  if (opened < 0) return system_error(opened, "socket");
  UniqueFd socket(opened);
  const long connected = sys::connect(socket.get(), address_in(directory), sizeof(sockaddr_un));
  if (connected == -ECONNREFUSED) return state_error("cannot start an already running container");
  if (connected < 0) return system_error(connected, "connect", kStartSocket);
  Message start;
  start.kind = MessageKind::start;
  TRY(send_message(socket.get(), start));
  return socket;
}

Result<UniqueFd> wait_until_started(const UniqueFd& connection, std::optional<SeccompAgent> agent,
                                    int process) {
  ProgramStart program =
      TRY(await_program(connection.get(), std::move(agent), {.process = process}));
  if (program.failed) return program.failed->error;
  return std::move(program.notify);
}

}  // namespace onggi
