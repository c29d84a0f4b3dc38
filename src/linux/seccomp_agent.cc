// SPDX-License-Identifier: Apache-2.0
#include "linux/seccomp_agent.h"

#include "linux/socket_message.h"
#include "linux/unix_socket.h"

namespace onggi {
namespace {

constexpr int kTimeoutSeconds = 10;

Result<> deliver_listener(int socket, int listener, std::optional<SeccompAgent>& agent) {
  if (!agent) return make_error(ErrorKind::internal, "a listener that nobody has asked for");
  TRY_AT("linux.seccomp.listenerPath", agent->deliver(listener));
  Message proceed;
  proceed.kind = MessageKind::proceed;
  return send_message(socket, proceed);
}

}  // namespace

Result<SeccompAgent> SeccompAgent::connect(const std::string& path, std::string process_state) {
  UniqueFd connection = TRY(connect_to_socket(path, kTimeoutSeconds));
  return SeccompAgent(std::move(connection), std::move(process_state));
}

// "If more than one sendmsg(2) is used, the file descriptors MUST be sent only in the first call."
// (config-linux.md#containerprocessstate)
Result<> SeccompAgent::deliver(int listener) {
  const UniqueFd connection = std::move(connection_);
  for (size_t sent = 0; sent < process_state_.size();) {
    sent += TRY(send_with_fd(connection.get(), process_state_.data() + sent,
                             process_state_.size() - sent, sent == 0 ? listener : -1));
  }
  return {};
}

Result<ProgramStart> await_program(int socket, std::optional<SeccompAgent> agent) {
  ProgramStart start;
  for (;;) {
    std::optional<Received> received = TRY(receive_message(socket));
    if (!received) return start;
    if (received->message.kind == MessageKind::notify) {
      start.notify = std::move(received->fd);
    } else if (received->message.kind == MessageKind::listener) {
      TRY(deliver_listener(socket, received->fd.get(), agent));
    } else {
      start.failed = received->message;
      return start;
    }
  }
}

}  // namespace onggi
