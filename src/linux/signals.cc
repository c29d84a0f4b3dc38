// SPDX-License-Identifier: Apache-2.0
// signalfd(2).
#include "linux/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <iterator>

namespace onggi {
namespace {

constexpr int kTerminating[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

}  // namespace

Result<UniqueFd> block_signals() {
  constexpr sys::SignalSet kAll = ~sys::SignalSet{0};
  (void)sys::set_signal_mask(kAll);
  const long fd = sys::signalfd(kAll, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return system_error(fd, "signalfd");
  return UniqueFd(fd);
}

Result<UniqueFd> terminating_signals() {
  sys::SignalSet set = 0;
  for (const int signal : kTerminating) set |= sys::SignalSet{1} << (signal - 1);
  const long fd = sys::signalfd(set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) return system_error(fd, "signalfd");
  return UniqueFd(fd);
}

int next_signal(int signals) {
  signalfd_siginfo info;
  const long size = sys::read(signals, &info, sizeof info);
  return size == static_cast<long>(sizeof info) ? static_cast<int>(info.ssi_signo) : 0;
}

bool is_terminating(int signal) {
  return std::ranges::find(kTerminating, signal) != std::end(kTerminating);
}

}  // namespace onggi
