// SPDX-License-Identifier: Apache-2.0
// clock_gettime(2) and nanosleep(2).
#include "registry/clock.h"

#include "base/log.h"

#include <time.h>

#include <cerrno>

namespace onggi::image {

int64_t SystemClock::milliseconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t SystemClock::unix_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

std::string wait_text(int64_t milliseconds, std::string_view reason) {
  const int64_t seconds = (milliseconds + 999) / 1000;
  return std::string(reason) + "; trying again in " + std::to_string(seconds) +
         (seconds == 1 ? " second" : " seconds");
}

void SystemClock::sleep(int64_t milliseconds, std::string_view reason) {
  if (view_ != nullptr) {
    view_->waits(milliseconds, reason);
  } else {
    log::warn(wait_text(milliseconds, reason), log::Show::always);
  }
  timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

}  // namespace onggi::image
