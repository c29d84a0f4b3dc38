// SPDX-License-Identifier: Apache-2.0
// The commands of onggi, and what they share.
#pragma once

#include "base/log.h"
#include "commandline/command.h"
#include "runtime/runtime.h"

#include <string>

namespace onggi::cli {

struct GlobalOptions {
  std::string root, log;
  log::Format log_format = log::Format::text;
  log::Level log_level = log::Level::error;
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  Rootless rootless = Rootless::automatic;
  bool version = false, timing = false;
};

using Command = BasicCommand<GlobalOptions>;
using Context = BasicContext<GlobalOptions>;

Program program();

// The state root is made absolute, because the runtime leaves the caller's directory.
Result<RuntimeOptions> runtime_options(const GlobalOptions& global);

// "--resources limits.json": a document in errors. The option alone for a path so long that it
// would hide the place behind it.
std::string document_name(std::string_view option, std::string_view file);

}  // namespace onggi::cli
