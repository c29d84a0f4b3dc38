// SPDX-License-Identifier: Apache-2.0
// The two ends of a pipe(7), closed on exec.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <fcntl.h>
#include <unistd.h>

namespace onggi::image {

struct Pipe {
  UniqueFd read, write;
};

inline Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error(-errno, "pipe2");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace onggi::image
