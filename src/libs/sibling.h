// SPDX-License-Identifier: Apache-2.0
// A computation in a process of its own, beside ours: libseccomp is not made for threads.
#pragma once

#include "base/answer.h"
#include "base/fd.h"
#include "base/result.h"

#include <string>
#include <utility>

namespace onggi {

class Sibling {
 public:
  // `compute`: () -> Result<std::string>, run in a copy of this process, which ends with it.
  template <class Compute>
  static Result<Sibling> start(const Compute& compute) {
    Sibling sibling;
    if (const UniqueFd output = TRY(sibling.fork())) end_with(compute(), output);
    return sibling;
  }
  Sibling(Sibling&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), result_(std::move(other.result_)) {}
  ~Sibling();

  // What `compute` has returned.
  Result<std::string> wait();

 private:
  Sibling() = default;
  // The descriptor to write to in the new process, none in ours.
  Result<UniqueFd> fork();
  [[noreturn]] static void end_with(const Result<std::string>& result, const UniqueFd& output);

  int pid_ = -1;
  UniqueFd result_;
};

}  // namespace onggi
