// SPDX-License-Identifier: Apache-2.0
// The runtime connects, sends one descriptor and goes (runc's docs/terminals.md has the protocol).
#include "process/detached_terminal.h"

#include "base/file.h"

#include <poll.h>
#include <signal.h>
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

// True: there is more to come. EIO: nobody has the terminal any more (ioctl_tty(2)).
bool copy_some(int terminal, int log) {
  char buffer[4096];
  const long size = sys::read(terminal, buffer, sizeof buffer);
  if (size == -EINTR) return true;
  if (size <= 0) return false;
  // A full disk must not stop the program: it would wait for its terminal.
  (void)write_all(log, "log", {buffer, static_cast<size_t>(size)});
  return true;
}

bool is_readable(int fd) {
  pollfd readable = {fd, POLLIN, 0};
  return poll(&readable, 1, 0) > 0 && (readable.revents & POLLIN) != 0;
}

// Until nobody has the terminal, or the pipe's other end is closed and there is nothing more.
void copy_all(int terminal, int end, int log) {
  for (;;) {
    pollfd events[] = {{terminal, POLLIN, 0}, {end, POLLIN, 0}};
    if (poll(events, 2, -1) < 0 && errno != EINTR) return;
    if (events[0].revents != 0 && !copy_some(terminal, log)) return;
    if (events[1].revents != 0 && !is_readable(terminal)) return;
  }
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

Result<TerminalLog> TerminalLog::start(UniqueFd terminal, int log) {
  Pipe end = TRY(make_pipe());
  sigset_t all, before;
  sigfillset(&all);
  (void)pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread thread([terminal = std::move(terminal), end = std::move(end.read), log] {
    copy_all(terminal.get(), end.get(), log);
  });
  (void)pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return TerminalLog(std::move(end.write), std::move(thread));
}

TerminalLog::~TerminalLog() {
  end_.reset();
  if (thread_.joinable()) thread_.join();
}

}  // namespace onggi::image
