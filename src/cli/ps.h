// SPDX-License-Identifier: Apache-2.0
// The processes of a container, as pids or as a part of what ps(1) prints.
#pragma once

#include "cli/command.h"

#include <span>
#include <vector>

namespace onggi::cli {

enum class PsFormat { table, json };
struct PsOptions {
  PsFormat format = PsFormat::table;
};

Result<int> ps_command(const Context& context, const PsOptions& options);

// The header and the lines whose PID column holds one of `pids`. A table without that column is an
// error.
Result<std::string> filter_table(std::string_view table, std::span<const int> pids);

}  // namespace onggi::cli
