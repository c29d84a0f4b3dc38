// SPDX-License-Identifier: Apache-2.0
// A container's seccomp agent, if its filter has rules with SCMP_ACT_NOTIFY.
#pragma once

#include "linux/seccomp_agent.h"
#include "runtime/state_dir.h"
#include "spec/spec.h"

namespace onggi {

bool notifies(const spec::Spec& spec);

// Is there a socket at listenerPath? It may be relative to the bundle. No side effects: the agent
// does not notice.
Result<> check_agent(const spec::Spec& spec, const std::string& bundle);

// Connected, with the message about the container ready; nothing if there is no need for it.
// It is of the process with the filter, in the container as it is then.
struct FilteredProcess {
  int pid = 0;
  Status status = Status::created;
};
Result<std::optional<SeccompAgent>> connect_agent(const spec::Spec& spec, const Record& record,
                                                  FilteredProcess process, int signals);

}  // namespace onggi
