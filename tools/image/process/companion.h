// SPDX-License-Identifier: Apache-2.0
// A program that runs beside this one for a while, and never longer: also if this process is
// killed.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>
#include <utility>
#include <vector>

namespace onggi::image {

struct CompanionCall {
  std::vector<std::string> arguments;  // the first is the program, looked up in $PATH
  // Options of the program that end in the number of a descriptor, which is appended: of one that
  // it writes to when it is ready, and of one whose hang-up is to end it. Without the second a
  // process of ours stands between, which kills it.
  std::string ready_option, end_option;
  std::vector<int> inherited;  // descriptors that it has under the same numbers
};

class Companion {
 public:
  // Waits until it is ready. If it is not, its own words have gone to standard error; else nobody
  // hears them.
  static Result<Companion> start(const CompanionCall& call);
  Companion(Companion&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)),
        has_keeper_(other.has_keeper_),
        end_(std::move(other.end_)),
        words_(std::move(other.words_)) {}
  Companion& operator=(Companion&&) = delete;
  ~Companion();

 private:
  Companion(int pid, bool has_keeper, UniqueFd end, UniqueFd words)
      : pid_(pid), has_keeper_(has_keeper), end_(std::move(end)), words_(std::move(words)) {}

  int pid_;  // of the program, or of the process between
  bool has_keeper_ = false;
  UniqueFd end_, words_;
};

}  // namespace onggi::image
