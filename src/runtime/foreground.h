// SPDX-License-Identifier: Apache-2.0
// The wait for a program that runs in the foreground, of `run` and `exec`: signals that we get are
// its signals, and our terminal is its terminal.
#pragma once

#include "linux/launch.h"
#include "linux/notify_relay.h"
#include "linux/terminal_relay.h"

#include <poll.h>

#include <optional>
#include <span>
#include <string>

namespace onggi {

// The program in the foreground: its signals, its terminal, and its end.
class Foreground {
 public:
  // `signals`: of block_signals(), borrowed.
  Foreground(Init& init, int signals, std::optional<TerminalRelay> terminal,
             std::optional<NotifyRelay> notify)
      : init_(init),
        signals_(signals),
        terminal_(std::move(terminal)),
        notify_(std::move(notify)) {}

  // The exit status of the program, 128 + signal if one killed it.
  Result<int> wait();
  // Afterwards: what the program has left in its terminal, for as long as our reader takes. Nothing
  // that others wait for may be held meanwhile.
  void finish_output();

 private:
  Result<> wait_for_events(std::span<pollfd> polled);
  Result<> forward_signals();
  void reap();

  Init& init_;
  int signals_;
  std::optional<TerminalRelay> terminal_;
  std::optional<NotifyRelay> notify_;
  std::optional<int> status_;
  bool released_ = false;  // of our memory, what waiting does not need
};

// Where the pty master comes to: --console-socket, or ourselves.
struct Console {
  UniqueFd for_init, ours;
};

// Nothing in it without process.terminal. `socket` is the path of --console-socket, or empty.
Result<Console> open_console(const std::optional<spec::Process>& process, const std::string& socket,
                             int signals);

// Once init has opened the terminal; nothing unless the master comes to ourselves.
Result<std::optional<TerminalRelay>> open_relay(const Console& console,
                                                const std::optional<spec::Process>& process);

}  // namespace onggi
