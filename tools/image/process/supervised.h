// SPDX-License-Identifier: Apache-2.0
// A program that this one stands for while it runs: signals go on to it, its end is ours.
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace onggi::image {

struct SupervisedCall {
  std::vector<std::string> arguments;  // the first is the program, looked up in $PATH
  bool reads_input = true;             // else its standard input is /dev/null
  int output = -1, error = -1;         // in place of this process's, borrowed
};

// Starts it and waits. The value is its status, or 128 and the number of the signal that ended it.
// A signal that a person sends to the whole foreground of a terminal (^C) it gets without us; what
// is sent to this process alone is handed on.
Result<int> run_supervised(const SupervisedCall& call);

// The same for a process that is there already, a child of this one.
Result<int> supervise(int pid);

}  // namespace onggi::image
