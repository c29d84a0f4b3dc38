// SPDX-License-Identifier: Apache-2.0
// A container's directory below the state root, and what is recorded in it:
//   creating.json, then also
//   state.json   the Record, before the first side effect and when the container is created;
//                written atomically, so that readers need no lock
//   config.json  the configuration as it was at `create`; later edits of the bundle change nothing
//   start.sock   while init waits to be started
// The directory itself is the lock (flock(2)) of whoever changes the container; it goes with its
// holder. An empty one is no container: its `create` was killed before it recorded anything.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "cgroups/driver.h"
#include "runtime/runtime.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace onggi {

// A systemd unit that is the container's.
struct UnitName {
  std::string name;
  bool user = false;  // of the user's manager rather than the system's
};

struct Record {
  std::string id, bundle, rootfs, created, owner;
  std::vector<std::pair<std::string, std::string>> annotations;
  // False from before the first side effect until the container is created: what `cgroup` and
  // `resctrl` name may exist, and the runtime that was at work may be gone.
  bool complete = false;
  int pid = 0;
  uint64_t start_time = 0;
  bool later_hooks = false;   // config.json has poststart or poststop hooks
  bool listener = false;      // its seccomp filter has one, for the agent
  bool private_pids = false;  // init's end is the end of all
  bool new_keyring = false;   // its processes have a session keyring of their own
  cgroups::Group cgroup;
  std::optional<UnitName> unit;      // whose cgroup that is
  std::vector<std::string> resctrl;  // directories of its own, parents first
};

// What the container's cgroup is marked with: no other container has this id and this time.
std::string cgroup_owner(const Record& record);

class StateDir {
 public:
  // Makes it, locked, or takes an empty one. An id in use is ErrorKind::state.
  static Result<StateDir> make(const std::string& root, std::string_view id);
  // An unknown id is ErrorKind::state, "container 'x' does not exist". A directory that others
  // can write (private_files.h) is not opened.
  static Result<StateDir> open(const std::string& root, std::string_view id);
  static Result<std::vector<std::string>> list(const std::string& root);

  // Waits for other changes to end, at most `milliseconds`; false: somebody still holds it. A
  // directory that was removed meanwhile is ErrorKind::state.
  Result<bool> lock(int milliseconds);
  Result<bool> locked_by_others();

  // ErrorKind::state: what is recorded cannot be understood, or the directory is empty. Any other
  // error tells nothing about the container.
  Result<Record> load() const;
  // The same; but what state.json does not tell, creating.json may: where the processes are.
  Result<Record> load_to_remove() const;
  // Nothing has been recorded in it, so nothing has been made.
  Result<bool> is_empty() const;
  Result<> save(const Record& record) const;
  // Once, before the record is complete: nobody reads it earlier.
  Result<> save_config(std::string_view document) const;
  Result<std::string> load_config() const;
  // Before poststop hooks, which config.json names: where it is missing they have run. A delete
  // that is killed while they run may be repeated, and they run again, but only once more: a hook
  // that kills its parent must not keep the container for ever.
  Result<> begin_poststop() const;
  Result<bool> has(const char* name) const;
  Result<> forget(const char* name) const;  // a missing file is no error
  // With all that is in it; what names the processes last.
  Result<> remove();

  int fd() const { return directory_.get(); }
  int root() const { return parent_.get(); }

 private:
  StateDir(UniqueFd parent, UniqueFd directory, const std::string& root, std::string id)
      : parent_(std::move(parent)),
        directory_(std::move(directory)),
        root_(root),
        id_(std::move(id)) {}
  Result<Record> load_from(const char* name) const;
  Error without_processes(const Error& error) const;

  UniqueFd parent_, directory_;
  std::string root_, id_;
  bool locked_ = false;
};

// Derived from the record, the process table and start.sock; nothing is stored that could be out of
// date.
Result<Status> status_of(StateDir& directory, const Record& record);

}  // namespace onggi
