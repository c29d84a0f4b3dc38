// SPDX-License-Identifier: Apache-2.0
// As docker-run(1) has it.
#include "bundle/overrides.h"

#include <cstdlib>

namespace onggi::image {

Result<> apply_overrides(const Overrides& overrides, ContainerConfig& config) {
  if (overrides.entrypoint) {
    config.entrypoint.clear();
    if (!overrides.entrypoint->empty()) config.entrypoint.push_back(*overrides.entrypoint);
    config.cmd.clear();
  }
  if (!overrides.arguments.empty()) config.cmd = overrides.arguments;
  for (const std::string& variable : overrides.environment) {
    const size_t equals = variable.find('=');
    if (equals == 0 || variable.empty()) {
      return make_error(ErrorKind::invalid_config, "--env '", variable,
                        "' must have the form NAME=VALUE or NAME");
    }
    if (equals != std::string::npos) {
      config.env.push_back(variable);
      continue;
    }
    // A name without a value here has none there, as with Docker.
    const char* value = std::getenv(variable.c_str());
    if (value != nullptr) config.env.push_back(variable + "=" + value);
  }
  if (!overrides.user.empty()) config.user = overrides.user;
  if (!overrides.working_dir.empty()) config.working_dir = overrides.working_dir;
  return {};
}

}  // namespace onggi::image
