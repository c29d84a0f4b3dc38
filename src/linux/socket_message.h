// SPDX-License-Identifier: Apache-2.0
// One packet over a unix socket, with at most one descriptor. Used by both programs, so without
// libc.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/wire.h"

#include <optional>

namespace onggi {

struct Received {
  Message message;
  UniqueFd fd;
};

// `data` and a borrowed descriptor in one packet; fd -1: none. The number of bytes sent, which over
// a stream may be less than all.
inline Result<size_t> send_with_fd(int socket, const void* data, size_t size, int fd) {
  iovec part{const_cast<void*>(data), size};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    __builtin_memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  const long sent = sys::sendmsg(socket, header, MSG_NOSIGNAL);
  if (sent < 0) return system_error(sent, "sendmsg");
  return static_cast<size_t>(sent);
}

// What was received in one packet, with at most one descriptor. Size 0: the other side has closed
// its end.
struct Packet {
  size_t size = 0;
  UniqueFd fd;
};

inline Result<Packet> receive_packet(int socket, void* data, size_t capacity) {
  iovec part{data, capacity};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = CMSG_LEN(sizeof(int));  // no room for a second one
  const long size = sys::recvmsg(socket, header, MSG_CMSG_CLOEXEC);
  if (size < 0 && size != -ECONNRESET) return system_error(size, "recvmsg");
  Packet packet;
  packet.size = size < 0 ? 0 : static_cast<size_t>(size);
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS &&
      rights->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd;
    __builtin_memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    packet.fd.reset(fd);
  }
  return packet;
}

inline Result<> send_message(int socket, const Message& message, int fd = -1) {
  TRY(send_with_fd(socket, &message, sizeof message, fd));
  return {};
}

inline Result<> send_failure(int socket, const Error& error, int step = -1) {
  Message message;
  message.kind = MessageKind::failed;
  message.step = step;
  message.error = error;
  return send_message(socket, message);
}

// Nothing: the other side has closed its end.
inline Result<std::optional<Received>> receive_message(int socket) {
  std::optional<Received> received(std::in_place);
  Packet packet = TRY(receive_packet(socket, &received->message, sizeof received->message));
  if (packet.size == 0) return std::optional<Received>();
  if (packet.size != sizeof received->message) {
    return make_error(ErrorKind::internal, "a message of ", packet.size, " bytes");
  }
  // Init runs beside the container's processes during `exec`, and one that may ptrace it may speak
  // in its place.
  if (!received->message.error.well_formed())
    return make_error(ErrorKind::internal, "invalid message");
  received->fd = std::move(packet.fd);
  return received;
}

struct SocketPair {
  UniqueFd first, second;
};

// `type`: SOCK_SEQPACKET or SOCK_STREAM.
inline Result<SocketPair> make_socket_pair(int type) {
  int pair[2];
  const long connected = sys::socketpair(AF_UNIX, type, pair);
  if (connected < 0) return system_error(connected, "socketpair");
  return SocketPair{UniqueFd(pair[0]), UniqueFd(pair[1])};
}

}  // namespace onggi
