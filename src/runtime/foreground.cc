// SPDX-License-Identifier: Apache-2.0
// One poll over signals, the end of the program and its terminal.
#include "runtime/foreground.h"

#include "linux/program_pages.h"
#include "linux/signals.h"
#include "linux/socket_message.h"
#include "runtime/announcement.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

namespace onggi {
namespace {

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

// Of all children: as a subreaper we also get what the container's processes leave behind.
void Foreground::reap() {
  int status;
  for (long pid; (pid = sys::waitpid(-1, status, WNOHANG)) > 0;) {
    if (pid == init_.pid()) status_ = exit_status(status);
  }
}

Result<> Foreground::forward_signals() {
  while (const int signal = next_signal(signals_)) {
    if (signal == SIGCHLD) {
      reap();
    } else if (signal == SIGWINCH) {
      // Of our terminal, which is the program's only through the relay. Others take it for a
      // command: Apache's httpd stops (httpd(8)).
      if (terminal_) terminal_->resize();
    } else if (signal != SIGURG && signal != SIGPIPE) {  // SIGPIPE: of our own writing
      const long sent = sys::pidfd_send_signal(init_.pidfd(), signal);
      if (sent < 0 && sent != -ESRCH) return system_error(sent, "pidfd_send_signal");
    }
  }
  return {};
}

// Who has been left alone for a second may be so for long.
Result<> Foreground::wait_for_events(std::span<pollfd> polled) {
  timespec patience = {.tv_sec = 1, .tv_nsec = 0};
  const long ready = sys::retry(SYS_ppoll, polled.data(), polled.size(),
                                released_ ? nullptr : &patience, nullptr, 0);
  if (ready < 0) return system_error(ready, "poll");
  if (ready > 0) return {};
  release_program_pages();
  released_ = true;
  return {};
}

Result<int> Foreground::wait() {
  reap();
  while (!status_) {
    std::array<pollfd, 3 + TerminalRelay::kEntries> polled = {};
    polled[0] = {.fd = signals_, .events = POLLIN, .revents = 0};
    polled[1] = {.fd = init_.pidfd(), .events = POLLIN, .revents = 0};
    polled[2] = {.fd = notify_ ? notify_->fd() : -1, .events = POLLIN, .revents = 0};
    const auto relayed = std::span(polled).subspan<3>();
    if (terminal_) std::ranges::copy(terminal_->poll_entries(), relayed.begin());
    TRY(wait_for_events(std::span(polled).first(terminal_ ? polled.size() : 3)));
    if (terminal_) terminal_->on_ready(relayed);
    if (polled[2].revents != 0) TRY(notify_->on_ready());
    if (polled[0].revents != 0) TRY(forward_signals());
    if (polled[1].revents != 0) reap();
  }
  while (next_signal(signals_) != 0) {
  }  // they were the program's, not ours
  if (terminal_ && terminal_->drain_at_once()) terminal_.reset();
  return *status_;
}

void Foreground::finish_output() {
  if (terminal_) terminal_->drain(signals_);
  terminal_.reset();
}

Result<Console> open_console(const std::optional<spec::Process>& process, const std::string& socket,
                             int signals) {
  Console console;
  if (!process || !process->terminal) return console;
  if (!socket.empty()) {
    console.for_init = TRY_AT("--console-socket", connect_receiver(socket, signals));
    return console;
  }
  SocketPair sockets = TRY(make_socket_pair(SOCK_STREAM));
  console.ours = std::move(sockets.first);
  console.for_init = std::move(sockets.second);
  return console;
}

Result<std::optional<TerminalRelay>> open_relay(const Console& console,
                                                const std::optional<spec::Process>& process) {
  std::optional<TerminalRelay> relay;
  if (!console.ours) return relay;
  char name[64];  // of the pty; not needed
  UniqueFd master = TRY(receive_packet(console.ours.get(), name, sizeof name)).fd;
  relay.emplace(TRY(TerminalRelay::open(std::move(master), process->console_size)));
  return relay;
}

}  // namespace onggi
