// SPDX-License-Identifier: Apache-2.0
// Commands about onggi itself; none needs root or a state directory.
#pragma once

#include "cli/container_commands.h"

namespace onggi::cli {

struct SpecOptions {
  std::string bundle = ".";
  std::string config = "config.json";
  bool rootless = false;
};

Result<int> spec_command(const Context& context, const SpecOptions& options);
Result<int> features(const Context& context, const NoOptions& options);

// Lines as dockerd and go-runc parse them.
std::string version_text();

}  // namespace onggi::cli
