// SPDX-License-Identifier: Apache-2.0
// sd_notify(3) across the border of a container. Its program says READY=1 to a socket of its own;
// we say so to the service manager, since a container must not speak for the whole service, and its
// pids mean nothing outside.
//
//   create                        start, or run
//   init binds a socket           init hands us the socket, then the program begins
//   at /run/notify in the         the program: READY=1 ─▶ us ─▶ MAINPID, READY=1, BARRIER=1
//   container                     the program ends first: nothing to say
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <optional>

namespace onggi {

// Has our caller set NOTIFY_SOCKET?
bool notify_requested();

class [[nodiscard]] NotifyRelay {
 public:
  // Connects to $NOTIFY_SOCKET; nothing where it is not set. Best before anything else is done.
  static Result<std::optional<NotifyRelay>> open();

  // `container`: the socket that the container's program writes to. `main_pid`: the process that
  // the service manager is to watch.
  void listen(UniqueFd container, int main_pid) {
    container_ = std::move(container);
    main_pid_ = main_pid;
  }

  // To be polled for POLLIN; -1 when there is nothing to wait for (any more).
  int fd() const { return container_ ? container_.get() : -1; }
  // Takes one message in, and passes on that the container is ready.
  Result<> on_ready();

  // Until the container is ready or `process` (a pidfd) has ended. `signals`: of block_signals(), a
  // terminating one is an error; -1: none are blocked.
  Result<> wait(int process, int signals);
  // Until the service manager has taken in what was sent (at most 30 seconds): it must not find our
  // process gone when it looks whom the message came from.
  Result<> flush(int signals) const;

 private:
  explicit NotifyRelay(UniqueFd service) : service_(std::move(service)) {}

  UniqueFd service_, container_;
  int main_pid_ = 0;
};

}  // namespace onggi
