// SPDX-License-Identifier: Apache-2.0
// `exec`: another program in a container that runs, through its runtime.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct ExecOptions {
  std::vector<std::string> env;
  std::string user, workdir;
  bool interactive = false, tty = false, detach = false;
};
inline constexpr auto kExecOptions = cli::options<ExecOptions>({
    cli::option<&ExecOptions::env>("env", 'e', "NAME=VALUE",
                                   "set an environment variable; NAME alone takes the value from "
                                   "this environment (repeatable)"),
    cli::option<&ExecOptions::user>("user", 'u', "USER[:GROUP]",
                                    "user and group, as names or numbers"),
    cli::option<&ExecOptions::workdir>("workdir", 'w', "DIR", "working directory in the container"),
    cli::option<&ExecOptions::interactive>("interactive", 'i', nullptr,
                                           "connect standard input to the program"),
    cli::option<&ExecOptions::tty>("tty", 't', nullptr, "give the program a terminal"),
    cli::option<&ExecOptions::detach>("detach", 'd', nullptr,
                                      "return as soon as the program runs; its output is lost"),
});

Result<int> exec_command(const Context& context, const ExecOptions& options);

}  // namespace onggi::image
