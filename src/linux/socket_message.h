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

// `data` and a borrowed descriptor in one packet; fd -1: none.
inline Result<> send_with_fd(int socket, const void* data, size_t size, int fd) {
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
  return {};
}

// The descriptor of one such packet; the data is dropped. A sender that has nothing to say is an
// error.
inline Result<UniqueFd> receive_fd(int socket) {
  char data[64];
  iovec part{data, sizeof data};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const long size = sys::recvmsg(socket, header, MSG_CMSG_CLOEXEC);
  if (size < 0) return system_error(size, "recvmsg");
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS ||
      rights->cmsg_len != CMSG_LEN(sizeof(int))) {
    return make_error(ErrorKind::system, "no descriptor was sent");
  }
  int fd;
  __builtin_memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return UniqueFd(fd);
}

inline Result<> send_message(int socket, const Message& message, int fd = -1) {
  return send_with_fd(socket, &message, sizeof message, fd);
}

// Nothing: the other side has closed its end.
inline Result<std::optional<Received>> receive_message(int socket) {
  std::optional<Received> received(std::in_place);
  iovec part{&received->message, sizeof received->message};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const long size = sys::recvmsg(socket, header, MSG_CMSG_CLOEXEC);
  if (size == -ECONNRESET || size == 0) return std::optional<Received>();
  if (size < 0) return system_error(size, "recvmsg");
  const cmsghdr* rights = CMSG_FIRSTHDR(&header);
  if (rights != nullptr && rights->cmsg_type == SCM_RIGHTS &&
      rights->cmsg_len == CMSG_LEN(sizeof(int))) {
    int fd;
    __builtin_memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    received->fd.reset(fd);
  }
  if (static_cast<size_t>(size) != sizeof received->message) {
    return make_error(ErrorKind::internal, "a message of ", size, " bytes");
  }
  return received;
}

}  // namespace onggi
