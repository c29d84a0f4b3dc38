// SPDX-License-Identifier: Apache-2.0
// The state root.
#include "cli/command.h"

#include "base/file.h"

namespace onggi::cli {

Result<RuntimeOptions> runtime_options(const GlobalOptions& global) {
  RuntimeOptions options;
  options.cgroup_manager = global.cgroup_manager;
  options.rootless = global.rootless;
  if (global.root.empty()) {
    options.root = TRY(default_root());
    return options;
  }
  options.root = TRY(absolute_path(global.root));
  return options;
}

std::string document_name(std::string_view option, std::string_view file) {
  constexpr size_t kLongest = 64;
  std::string name(option);
  if (file.size() <= kLongest) name.append(" ").append(file);
  return name;
}

}  // namespace onggi::cli
