// SPDX-License-Identifier: Apache-2.0
#include "support/console.h"

#include "support/run.h"
#include "support/socket_message.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace onggi::test {
namespace {
constexpr int kTimeLimitMs = 30'000;
}

PtyMaster::~PtyMaster() {
  if (fd_ >= 0) close(fd_);
}

bool PtyMaster::wait_for(std::string_view text) {
  while (!contains(text_, text)) {
    pollfd ready = {fd_, POLLIN, 0};
    if (poll(&ready, 1, kTimeLimitMs * time_scale()) <= 0) return false;
    char buffer[4096];
    const ssize_t got = read(fd_, buffer, sizeof buffer);
    // EIO: the last slave has been closed.
    if (got <= 0) return contains(text_, text);
    text_.append(buffer, static_cast<size_t>(got));
  }
  return true;
}

void PtyMaster::write(std::string_view text) const {
  if (::write(fd_, text.data(), text.size()) < 0) throw std::runtime_error("write to the pty");
}

ConsoleSocket::ConsoleSocket()
    : directory_("console"), listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 1) != 0) {
    throw std::runtime_error("console socket");
  }
}

ConsoleSocket::~ConsoleSocket() {
  close(listener_);
}

PtyMaster ConsoleSocket::receive() const {
  pollfd ready = {listener_, POLLIN, 0};
  if (poll(&ready, 1, kTimeLimitMs * time_scale()) <= 0) return PtyMaster();
  const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (connection < 0) return PtyMaster();
  const SocketMessage message = receive_message(connection);
  close(connection);
  return message.descriptors.empty() ? PtyMaster() : PtyMaster(message.descriptors[0]);
}

namespace {
int open_master() {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
    throw std::runtime_error("openpt");
  return master;
}
}  // namespace

Pty::Pty(unsigned short rows, unsigned short columns) : master(open_master()) {
  char name[64] = {};
  if (ptsname_r(master.fd(), name, sizeof name) != 0) throw std::runtime_error("ptsname");
  slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) throw std::runtime_error("open the slave");
  const winsize size = {rows, columns, 0, 0};
  ioctl(master.fd(), TIOCSWINSZ, &size);
}

Pty::~Pty() {
  if (slave >= 0) close(slave);
}

}  // namespace onggi::test
