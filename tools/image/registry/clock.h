// SPDX-License-Identifier: Apache-2.0
// Time as something that can be passed in: tests of waiting do not wait.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace onggi::image {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t milliseconds() = 0;  // since some moment; never goes back
  virtual int64_t unix_seconds() = 0;
  // `reason` is one line for the user: what is waited for.
  virtual void sleep(int64_t milliseconds, std::string_view reason) = 0;
};

// Shows the user that the command waits. Called by any thread, when its pause begins.
class WaitView {
 public:
  virtual ~WaitView() = default;
  virtual void waits(int64_t milliseconds, std::string_view reason) = 0;
};
// "REASON; trying again in 8 seconds"
std::string wait_text(int64_t milliseconds, std::string_view reason);

class SystemClock : public Clock {
 public:
  // `view` must outlive this; without one, a line on standard error tells of each pause.
  explicit SystemClock(WaitView* view = nullptr) : view_(view) {}
  int64_t milliseconds() override;
  int64_t unix_seconds() override;
  void sleep(int64_t milliseconds, std::string_view reason) override;

 private:
  WaitView* view_;
};

}  // namespace onggi::image
