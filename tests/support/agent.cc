// SPDX-License-Identifier: Apache-2.0
#include "support/agent.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace onggi::test {
namespace {

std::vector<int> descriptors_in(msghdr& message) {
  std::vector<int> found;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    found.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(found.data(), CMSG_DATA(header), found.size() * sizeof(int));
  }
  return found;
}

}  // namespace

SeccompAgent::SeccompAgent(Errors errors)
    : directory_("agent"),
      errors_(std::move(errors)),
      socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
  if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(socket_, 8) != 0 || pipe2(stop_, O_CLOEXEC) != 0) {
    throw std::runtime_error("the agent's socket");
  }
  thread_ = std::thread([this] { serve(); });
}

SeccompAgent::~SeccompAgent() {
  close(stop_[1]);
  thread_.join();
  close(stop_[0]);
  close(socket_);
  for (const int listener : listeners_) close(listener);
}

std::vector<SeccompAgent::Message> SeccompAgent::messages() {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::vector<int> SeccompAgent::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void SeccompAgent::serve() {
  for (;;) {
    std::vector<pollfd> polled = {{stop_[0], POLLIN, 0}, {socket_, POLLIN, 0}};
    for (const int listener : listeners_) polled.push_back({listener, POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    // Last to first, so that the numbers of the rest stay right.
    for (size_t i = polled.size() - 1; i > 1; i--) {
      if (polled[i].revents == 0) continue;
      if ((polled[i].revents & POLLIN) != 0 && answer(polled[i].fd)) continue;
      close(polled[i].fd);  // nobody is left to ask
      listeners_.erase(listeners_.begin() + static_cast<ptrdiff_t>(i) - 2);
    }
    if (polled[1].revents != 0) accept();
  }
}

void SeccompAgent::accept() {
  const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) return;
  Message received;
  for (;;) {
    char payload[65536];
    iovec part = {payload, sizeof payload};
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
    if (got <= 0) break;
    received.text.append(payload, static_cast<size_t>(got));
    for (const int fd : descriptors_in(message)) {
      received.descriptors++;
      listeners_.push_back(fd);
    }
  }
  close(connection);
  const std::lock_guard lock(mutex_);
  messages_.push_back(received);
}

bool SeccompAgent::answer(int listener) {
  seccomp_notif request = {};
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
    return errno == ENOENT || errno == EINTR;
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(request.data.nr);
  }
  seccomp_notif_resp response = {};
  response.id = request.id;
  const auto error = errors_.find(request.data.nr);
  if (error == errors_.end()) {
    response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    response.error = -error->second;
  }
  ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);  // who asked may be gone
  return true;
}

}  // namespace onggi::test
