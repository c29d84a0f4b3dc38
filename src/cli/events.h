// SPDX-License-Identifier: Apache-2.0
// `events`: one JSON object a line, in the form that go-runc and its users read.
#pragma once

#include "cgroups/stats.h"
#include "cli/command.h"

#include <string>

namespace onggi::cli {

struct EventsOptions {
  std::string interval = "5";  // parse_duration()
  bool stats = false;
};

Result<int> events_command(const Context& context, const EventsOptions& options);

std::string stats_event(std::string_view id, const cgroups::Stats& stats);
std::string oom_event(std::string_view id);

}  // namespace onggi::cli
