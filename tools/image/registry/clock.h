// SPDX-License-Identifier: Apache-2.0
// Time as something that can be passed in: tests of waiting do not wait.
#pragma once

#include <cstdint>

namespace onggi::image {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t milliseconds() = 0;  // since some moment; never goes back
  virtual int64_t unix_seconds() = 0;
  virtual void sleep(int64_t milliseconds) = 0;
};

class SystemClock : public Clock {
 public:
  int64_t milliseconds() override;
  int64_t unix_seconds() override;
  void sleep(int64_t milliseconds) override;
};

}  // namespace onggi::image
