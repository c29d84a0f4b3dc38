// SPDX-License-Identifier: Apache-2.0
// Ownership of a file descriptor. Functions take `int` to borrow and UniqueFd to take over.
#pragma once

#include "base/syscalls.h"

#include <utility>

namespace onggi {

class [[nodiscard]] UniqueFd {
 public:
  constexpr UniqueFd() = default;
  explicit constexpr UniqueFd(int fd) : fd_(fd) {}
  explicit constexpr UniqueFd(long fd) : fd_(static_cast<int>(fd)) {}
  constexpr UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  constexpr UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  constexpr ~UniqueFd() { reset(); }

  constexpr int get() const { return fd_; }
  constexpr explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] constexpr int release() { return std::exchange(fd_, -1); }
  constexpr void reset(int fd = -1) {
    // A second close after EINTR could hit somebody else's descriptor: Linux frees it in any case
    // (close(2)).
    if (fd_ >= 0) (void)sys::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace onggi
