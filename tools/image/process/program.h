// SPDX-License-Identifier: Apache-2.0
// Another program, called like a function: text in, text out. Its standard error is the user's.
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace onggi::image {

struct ProgramCall {
  std::vector<std::string> arguments;    // the first is the program, looked up in $PATH
  std::vector<std::string> environment;  // "NAME=VALUE", over those of this process
  std::string input;                     // what it reads; a secret is in no `ps` there
  long seconds = 60;                     // then it is ended
  size_t limit = 64 * 1024;              // of the output, in bytes
  bool leads_process_group = false;      // what it leaves running hears no ^C of the terminal
  bool is_quiet = false;                 // its standard error is nobody's
};

struct ProgramAnswer {
  int status = 0;  // of exit(3); 128 and the signal's number if one ended it
  std::string output;
};

// An error: it cannot be executed, takes too long or says too much. Its status is no error here.
Result<ProgramAnswer> call_program(const ProgramCall& call);

}  // namespace onggi::image
