// SPDX-License-Identifier: Apache-2.0
// Containers that are there: `start`, `stop`, `kill`, `wait`. None of them needs the process that
// runs a container, and none holds the store's lock while it waits.
#pragma once

#include "command/command.h"

namespace onggi::image {

struct StartOptions {
  bool attach = false, interactive = false;
};
inline constexpr auto kStartOptions = cli::options<StartOptions>({
    cli::option<&StartOptions::attach>(
        "attach", 'a', nullptr, "run in the foreground, as run does, and exit with its status"),
    cli::option<&StartOptions::interactive>(
        "interactive", 'i', nullptr, "connect standard input to the program; requires --attach"),
});

struct StopOptions {
  std::string signal, time;
};
inline constexpr auto kStopOptions = cli::options<StopOptions>({
    cli::option<&StopOptions::signal>(
        "signal", 's', "SIGNAL", "signal to send first (default: TERM, unless the image sets one)"),
    cli::option<&StopOptions::time>("time", 't', "SECONDS",
                                    "how long to wait before the signal KILL; -1: for ever "
                                    "(default: 10)"),
});

struct KillOptions {
  std::string signal;
};
inline constexpr auto kKillOptions = cli::options<KillOptions>({
    cli::option<&KillOptions::signal>("signal", 's', "SIGNAL",
                                      "name or number of the signal (default: KILL)"),
});

Result<int> start_command(const Context& context, const StartOptions& options);
Result<int> stop_command(const Context& context, const StopOptions& options);
Result<int> kill_command(const Context& context, const KillOptions& options);
Result<int> wait_command(const Context& context, const NoOptions& options);

}  // namespace onggi::image
