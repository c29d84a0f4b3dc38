// SPDX-License-Identifier: Apache-2.0
// The command line: arguments in, exit status out.
#pragma once

#include "commandline/options.h"

namespace onggi::cli {

// `arguments` are those after the program's name.
int run(Arguments arguments);

}  // namespace onggi::cli
