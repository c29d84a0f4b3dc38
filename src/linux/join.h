// SPDX-License-Identifier: Apache-2.0
// Namespaces that exist already: linux.namespaces[].path, and for `exec` those of a container.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "plan/plan.h"

#include <vector>

namespace onggi {

// Before anybody else's namespace is joined: until init is executed we are the runtime itself, with
// all that it has open, and nothing for those who see us there (CVE-2016-9962, CVE-2019-5736).
Result<> hide();

// Checked to be of the right type.
Result<UniqueFd> open_namespace(const plan::JoinedNamespace& joined);

// One descriptor for each of `plan.joined`, in its order, checked to be of the right type. The path
// is not looked up again: what was checked is what is joined.
Result<std::vector<UniqueFd>> open_namespaces(const plan::NamespacePlan& plan);

// In the bridge process, on borrowed or copied memory: raw system calls only. Joins everything, the
// user namespace where it can be, makes a new time namespace and sets its offsets.
Result<> join_namespaces(const plan::NamespacePlan& plan, const std::vector<UniqueFd>& fds);

// A process that its holder has made sure of; the descriptor is borrowed.
struct ProcessHandle {
  int pid = 0;
  int pidfd = -1;
};

struct JoinedContainer {
  int process = -1;  // pidfd of its first process, borrowed
  int flags = 0;     // CLONE_NEW* of the namespaces that are not our own already
  UniqueFd root;     // of that process, where it has to be taken over
};

// What join_container() needs. A process that has ended is ErrorKind::state.
Result<JoinedContainer> open_container(const plan::NamespacePlan& plan, ProcessHandle first);

// In the bridge process, like join_namespaces(): all namespaces at once, the root directory, and
// ids that the user namespace knows.
Result<> join_container(const JoinedContainer& container);

// User and group 0 of the user namespace that this process is in.
Result<> become_root(bool set_groups);

}  // namespace onggi
