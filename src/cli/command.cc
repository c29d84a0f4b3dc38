// SPDX-License-Identifier: Apache-2.0
// The state root.
#include "cli/command.h"

#include "base/path.h"

#include <climits>

namespace onggi::cli {

Result<RuntimeOptions> runtime_options(const GlobalOptions& global) {
  RuntimeOptions options;
  options.cgroup_manager = global.cgroup_manager;
  options.rootless = global.rootless;
  if (global.root.empty()) {
    options.root = TRY(default_root());
    return options;
  }
  char directory[PATH_MAX] = {};
  if (!global.root.starts_with('/')) {
    const long size = sys::getcwd(directory, sizeof directory);
    if (size < 0) return system_error(size, "getcwd");
  }
  options.root = join_path(directory, global.root);
  return options;
}

}  // namespace onggi::cli
