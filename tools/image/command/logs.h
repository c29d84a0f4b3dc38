// SPDX-License-Identifier: Apache-2.0
// `logs`: what a detached container has written, and writes.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct LogsOptions {
  bool follow = false, timestamps = false;
  std::string since, until, tail;
};
inline constexpr auto kLogsOptions = cli::options<LogsOptions>({
    cli::option<&LogsOptions::follow>("follow", 'f', nullptr,
                                      "print new output until the container stops"),
    cli::option<&LogsOptions::since>("since", 0, "TIME",
                                     "print only output since this time: RFC 3339, seconds since "
                                     "1970, or how long ago, such as 10m"),
    cli::option<&LogsOptions::until>("until", 0, "TIME", "print only output before this time"),
    cli::option<&LogsOptions::tail>("tail", 'n', "N|all",
                                    "print only the last N lines (default: all)"),
    cli::option<&LogsOptions::timestamps>("timestamps", 't', nullptr,
                                          "print the time before each line"),
});

Result<int> logs_command(const Context& context, const LogsOptions& options);

}  // namespace onggi::image
