// SPDX-License-Identifier: Apache-2.0
// The seccomp filter of the container's program, before and while it is loaded.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <initializer_list>
#include <optional>

namespace onggi {

class Filter {
 public:
  // None.
  Filter() = default;
  // Maps the compiled program, for as long as this process executes nothing else. `flags` are those
  // of seccomp(2).
  static Result<Filter> map(const UniqueFd& program, uint32_t flags);

  explicit operator bool() const { return code_ != nullptr; }
  bool has_listener() const { return (flags_ & SECCOMP_FILTER_FLAG_NEW_LISTENER) != 0; }

  // What it will answer to this call of ours: SECCOMP_RET_*, without the data. Nothing: an
  // instruction that only the kernel knows.
  std::optional<uint32_t> action(long call, std::initializer_list<long> arguments) const;
  // It will neither refuse the call nor ask anybody about it.
  bool allows(long call, std::initializer_list<long> arguments) const;
  // Its caller would die.
  bool kills(long call, std::initializer_list<long> arguments) const;

  // From here on it covers this thread. The listener's descriptor, or 0.
  Result<int> load() const;

 private:
  const sock_filter* code_ = nullptr;
  unsigned short length_ = 0;
  uint32_t flags_ = 0;
};

}  // namespace onggi
