// SPDX-License-Identifier: Apache-2.0
#include "linux/waiting.h"

#include "base/syscalls.h"
#include "linux/signals.h"

#include <algorithm>
#include <ctime>
#include <optional>

namespace onggi {
namespace {

constexpr int64_t kMillisecond = 1'000'000, kSecond = 1'000'000'000;

bool is_readable(int fd) {
  pollfd polled = {.fd = fd, .events = POLLIN, .revents = 0};
  const timespec at_once = {};
  return sys::retry(SYS_ppoll, &polled, 1, &at_once, nullptr, 0) > 0;
}

}  // namespace

Result<> check_interrupted(int signals) {
  if (signals < 0) return {};
  const UniqueFd terminating = TRY(terminating_signals());
  const int signal = next_signal(terminating.get());
  if (signal != 0) return make_error(ErrorKind::system, "interrupted by signal ", signal);
  return {};
}

namespace {

// POLLHUP is always among the events (poll(2)).
Result<Waited> wait_for(int fd, short events, const Waiting& waiting) {
  const bool limited = waiting.milliseconds >= 0;
  const int64_t deadline =
      limited ? sys::nanoseconds(CLOCK_MONOTONIC) + waiting.milliseconds * kMillisecond : 0;
  pollfd polled[] = {{.fd = fd, .events = events, .revents = 0},
                     {.fd = waiting.process, .events = POLLIN, .revents = 0},
                     {.fd = waiting.signals, .events = POLLIN, .revents = 0}};
  UniqueFd terminating;  // opened with the first signal; the others stay for the program
  for (;;) {
    const int64_t rest =
        limited ? std::max<int64_t>(deadline - sys::nanoseconds(CLOCK_MONOTONIC), 0) : 0;
    const timespec timeout = {.tv_sec = rest / kSecond, .tv_nsec = rest % kSecond};
    const long ready = sys::retry(SYS_ppoll, &polled[0], std::size(polled),
                                  limited ? &timeout : nullptr, nullptr, 0);
    if (ready < 0) return system_error(ready, "poll");
    if (polled[0].revents != 0) return Waited::ready;
    // What it had to say it said before it ended.
    if (polled[1].revents != 0) return is_readable(fd) ? Waited::ready : Waited::ended;
    if (ready == 0) return Waited::expired;
    TRY(check_interrupted(waiting.signals));
    terminating = TRY(terminating_signals());
    polled[2].fd = terminating.get();
  }
}

}  // namespace

Result<Waited> wait_readable(int fd, const Waiting& waiting) {
  return wait_for(fd, POLLIN, waiting);
}

Result<Waited> wait_closed(int fd, const Waiting& waiting) {
  return wait_for(fd, 0, waiting);
}

}  // namespace onggi
