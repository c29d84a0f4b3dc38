// SPDX-License-Identifier: Apache-2.0
#include "linux/seccomp_agent.h"

#include "linux/socket_message.h"
#include "linux/unix_socket.h"

namespace onggi {
namespace {

Result<> deliver_listener(int socket, int listener, std::optional<SeccompAgent>& agent,
                          int signals) {
  if (!agent) return make_error(ErrorKind::internal, "received an unexpected seccomp listener");
  TRY_AT("linux.seccomp.listenerPath", agent->deliver(listener, signals));
  Message proceed;
  proceed.kind = MessageKind::proceed;
  return send_message(socket, proceed);
}

}  // namespace

Result<SeccompAgent> SeccompAgent::connect(const std::string& path, std::string process_state,
                                           int signals) {
  UniqueFd connection = TRY(connect_to_socket(path, signals));
  return SeccompAgent(path, std::move(connection), std::move(process_state));
}

// "If more than one sendmsg(2) is used, the file descriptors MUST be sent only in the first call."
// (config-linux.md#containerprocessstate)
Result<> SeccompAgent::deliver(int listener, int signals) {
  const UniqueFd connection =
      connection_ ? std::move(connection_) : TRY(connect_to_socket(path_, signals));
  int attempts = 0;
  for (size_t sent = 0; sent < process_state_.size();) {
    const Result<size_t> now =
        send_with_fd(connection.get(), process_state_.data() + sent, process_state_.size() - sent,
                     sent == 0 ? listener : -1);
    if (now) {
      sent += now.value();
      continue;
    }
    if (now.error().errnum != EAGAIN) return now.error();
    TRY(check_interrupted(signals));
    if (++attempts == kSendAttempts)
      return with_hint(system_error(-ETIMEDOUT, "sendmsg"),
                       "the agent has not read what it is sent for 10 seconds");
  }
  return {};
}

Result<ProgramStart> await_program(int socket, std::optional<SeccompAgent> agent,
                                   const Waiting& waiting) {
  ProgramStart start;
  bool executing = false;
  // Only a listener has to be answered; being woken for the rest would be time lost.
  const auto wait = agent ? wait_readable : wait_closed;
  while (TRY(wait(socket, waiting)) == Waited::ready) {
    std::optional<Received> received = TRY(receive_message(socket));
    if (!received) break;
    if (received->message.kind == MessageKind::executing) {
      executing = true;
    } else if (received->message.kind == MessageKind::notify) {
      start.notify = std::move(received->fd);
    } else if (received->message.kind == MessageKind::listener) {
      TRY(deliver_listener(socket, received->fd.get(), agent, waiting.signals));
    } else {
      start.failed = received->message;
      return start;
    }
  }
  if (executing) return start;
  return init_died("before it could execute the program");
}

}  // namespace onggi
