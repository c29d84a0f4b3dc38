// SPDX-License-Identifier: Apache-2.0
// The writer of a detached container's log: a process of its own, so that the program can write,
// and what it writes is kept with its time, also when the process that runs the container was
// killed. It ends when nobody can write to it any more.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <utility>

namespace onggi::image {

class OutputLog {
 public:
  // Output and error are two ends of pipes to read from; of a terminal there is one for both.
  // `log` is open for appending and is locked (flock(2)) by the writer as long as it lives. Before
  // any thread exists.
  static Result<OutputLog> start(UniqueFd output, UniqueFd error, UniqueFd log);

  OutputLog(OutputLog&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), end_(std::move(other.end_)) {}
  OutputLog& operator=(OutputLog&&) = delete;
  // What has been written until now is in the file afterwards, even if somebody could still write.
  ~OutputLog();

 private:
  OutputLog(int pid, UniqueFd end) : pid_(pid), end_(std::move(end)) {}

  int pid_;
  UniqueFd end_;
};

}  // namespace onggi::image
