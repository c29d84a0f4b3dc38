// SPDX-License-Identifier: Apache-2.0
// A further program in a container.
#pragma once

#include "cli/command.h"

#include <optional>

namespace onggi::cli {

struct ExecFlags {
  std::string process, console_socket, pidfd_socket, pid_file;
  std::string cwd, user, selinux_label, apparmor_profile;
  std::vector<std::string> env, additional_gids, capabilities, cgroups;
  std::optional<bool> no_new_privileges;
  bool tty = false, detach = false, ignore_paused = false;
  uint32_t preserve_fds = 0;
};

Result<int> exec_command(const Context& context, const ExecFlags& flags);

// Flags and the words behind the container's id as what the runtime is to do, but for the file of
// --process.
Result<ExecOptions> exec_options_of(const ExecFlags& flags, Arguments words);

}  // namespace onggi::cli
