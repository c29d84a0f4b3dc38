// SPDX-License-Identifier: Apache-2.0
#include "support/socket_message.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>

namespace onggi::test {

SocketMessage receive_message(int socket) {
  char payload[65536];
  iovec part = {payload, sizeof payload};
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
  msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  SocketMessage message;
  message.failed = size < 0;
  if (message.failed) return message;
  message.text.assign(payload, static_cast<size_t>(size));
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) continue;
    message.descriptors.resize((each->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(message.descriptors.data(), CMSG_DATA(each), message.descriptors.size() * sizeof(int));
  }
  return message;
}

}  // namespace onggi::test
