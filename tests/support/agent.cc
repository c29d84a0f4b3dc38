// SPDX-License-Identifier: Apache-2.0
#include "support/agent.h"

#include "support/run.h"
#include "support/socket_message.h"

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
  for (const auto& [fd, message] : connections_) close(fd);
}

std::vector<SeccompAgent::Message> SeccompAgent::messages() {
  std::vector<Message> whole;
  (void)eventually([&] {
    const std::lock_guard lock(mutex_);
    whole = messages_;
    return connections_.empty();
  });
  return whole;
}

std::vector<int> SeccompAgent::calls() {
  const std::lock_guard lock(mutex_);
  return calls_;
}

void SeccompAgent::serve() {
  for (;;) {
    std::vector<pollfd> polled = {{stop_[0], POLLIN, 0}, {socket_, POLLIN, 0}};
    for (const auto& [fd, message] : connections_) polled.push_back({fd, POLLIN, 0});
    const size_t first_listener = polled.size();
    for (const int listener : listeners_) polled.push_back({listener, POLLIN, 0});
    if (poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[0].revents != 0) return;
    if (polled[1].revents != 0) accept();
    for (size_t i = 2; i < polled.size(); i++) {
      if (polled[i].revents == 0) continue;
      if (i < first_listener) {
        receive(polled[i].fd);
      } else if ((polled[i].revents & POLLIN) == 0 || !answer(polled[i].fd)) {
        close(polled[i].fd);  // nobody is left to ask
        std::erase(listeners_, polled[i].fd);
      }
    }
  }
}

void SeccompAgent::accept() {
  const int connection = accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
  const std::lock_guard lock(mutex_);
  if (connection >= 0) connections_[connection] = {};
}

// A part of a message, or its end.
void SeccompAgent::receive(int connection) {
  const SocketMessage part = receive_message(connection);
  const std::lock_guard lock(mutex_);
  Message& message = connections_[connection];
  if (!part.text.empty()) {
    message.text.append(part.text);
    message.descriptors += part.descriptors.size();
    listeners_.insert(listeners_.end(), part.descriptors.begin(), part.descriptors.end());
    return;
  }
  messages_.push_back(message);
  connections_.erase(connection);
  close(connection);
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
