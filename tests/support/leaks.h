// SPDX-License-Identifier: Apache-2.0
// What a test may leave behind: nothing. The mount table is this process's own (its mount namespace
// is private), the processes are its descendants (it is a subreaper), cgroups, systemd's units and
// state entries carry its tag.
#pragma once

#include "support/bundle.h"

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace onggi::test {

// Mount points of this mount namespace at or below a directory, deepest last.
Strings mount_points(const std::filesystem::path& below = "/");
// Living descendants of this process, as "PID COMMAND"; zombies that are ours are reaped first.
Strings descendants();
// Cgroup directories of any hierarchy whose path contains the tag.
Strings tagged_cgroups();

class Snapshot {
 public:
  Snapshot();
  // One line per thing that is there now and was not there then. Processes that are about to go get
  // some time.
  Strings left_behind() const;
  // Removes what is left, so that the next test does not suffer for it.
  void clean_up() const;

 private:
  Strings mounts_;
};

// Something found at a moment when the test case could no longer be told; the next check of the
// fixture reports it.
void note_leak(std::string text);

// Fixture of every test case: nothing is left behind when it ends, and the host's null device,
// whose owner some runtimes change (crun 1.8.1: of all standard streams), is root's as it was.
class Clean {
 public:
  Clean();
  ~Clean();

 private:
  Snapshot before_;
  uid_t null_owner_;
};

}  // namespace onggi::test
