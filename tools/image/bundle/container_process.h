// SPDX-License-Identifier: Apache-2.0
// The first process of a container, found through its runtime and not through whoever runs it: that
// one may have been killed.
#pragma once

#include "base/fd.h"
#include "bundle/container_record.h"
#include "process/program.h"

#include <optional>
#include <string>
#include <vector>

namespace onggi::image {

struct ContainerProcess {
  int pid = 0;
  UniqueFd pidfd;
};

// "RUNTIME [--root DIR]": ordinary users have their runtime's state with them.
std::vector<std::string> runtime_command(const std::string& runtime);

// "RUNTIME WORD... ID WORD..."
Result<ProgramAnswer> call_runtime(const ContainerRecord& record, std::vector<std::string> before,
                                   std::vector<std::string> behind, bool is_quiet = false);

// Nothing: it has none that lives. An error: the runtime cannot be executed.
Result<std::optional<ContainerProcess>> find_process(const ContainerRecord& record);

// The path of its network namespace; empty: it has no process.
std::string network_path_of(const ContainerRecord& record);

// False: it still lives after so many milliseconds; -1: no limit.
Result<bool> wait_for_process(const ContainerProcess& process, int milliseconds);
// Of one that has ended: its status, or 128 and the signal's number. Nothing: this kernel does not
// tell it to whoever is not the parent (Linux 6.15 does, PIDFD_GET_INFO).
std::optional<int> exit_status_of(const ContainerProcess& process);

}  // namespace onggi::image
