// SPDX-License-Identifier: Apache-2.0
// signalfd(2).
#include "linux/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

namespace onggi {

Result<UniqueFd> block_signals() {
  constexpr sys::SignalSet kAll = ~sys::SignalSet{0};
  (void)sys::set_signal_mask(kAll);
  const long fd = sys::signalfd(kAll, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return system_error(fd, "signalfd");
  return UniqueFd(fd);
}

int next_signal(int signals) {
  signalfd_siginfo info;
  const long size = sys::read(signals, &info, sizeof info);
  return size == static_cast<long>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

bool is_terminating(int signal) {
  return signal == SIGHUP || signal == SIGINT || signal == SIGQUIT || signal == SIGTERM;
}

}  // namespace onggi
