// SPDX-License-Identifier: Apache-2.0
// Texts made from the tables of commands and options: help, the bash completion, the man page.
#pragma once

#include "cli/command.h"

#include <string>

namespace onggi::cli {

// "onggi kill [OPTION]... CONTAINER-ID [SIGNAL]"
std::string usage_line(const Command& command);

std::string general_help();
std::string command_help(const Command& command);
std::string bash_completion();
std::string man_page();  // roff, man(7)

}  // namespace onggi::cli
