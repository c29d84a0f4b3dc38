// SPDX-License-Identifier: Apache-2.0
// A container's cgroup from its making to its removal: one directory in each hierarchy. Order of
// use: check_unused (whose Group goes to the disk before anything is made, so that a crash leaves
// nothing that cannot be removed), create, then any of the others, remove.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "plan/cgroup_plan.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::cgroups {

// A container's directory in one hierarchy, as the state on disk keeps it.
struct GroupDirectory {
  std::string mount_point;
  std::string path;
  uint32_t kept = 0;  // the length of the part of `path` that was there before and stays
  bool unified = false, freezer = false;

  std::string full_path() const { return mount_point + path; }
};

// Empty: a container without a cgroup of its own.
struct Group {
  std::vector<GroupDirectory> directories;
  // What the cgroup is marked with as the container's (ownership.h). One that has another's mark is
  // left alone by all that signals, lists or removes. Empty: there are no marks.
  std::string owner = {};
  // Its create has come to its end, so also a cgroup that has lost its mark is the container's.
  bool complete = false;
};

// What a new process needs to be born in the cgroup or to move itself there.
struct Membership {
  std::vector<UniqueFd> tasks;  // v1, one a hierarchy: the process itself writes "0"
  UniqueFd unified;             // v2: the directory, for CLONE_INTO_CGROUP
  UniqueFd claim;               // locks the cgroup until the process is in it

  bool empty() const { return tasks.empty() && !unified; }
};

// What create() is going to make. An error if the cgroup is there and frozen or has processes:
// those would be limited, frozen and killed with the container.
Result<Group> check_unused(const plan::CgroupPlan& plan);

// Makes the directories, enables the controllers and writes the settings; after an error nothing of
// it is left. An empty Membership means that an optional cgroup could not be made: the container
// has no Group then. `owner`: as in Group.
Result<Membership> create(const plan::CgroupPlan& plan, std::string_view owner);

// With the systemd driver the unit comes first, and create() finds the directories that systemd has
// made. Then the process, which is in the unit, joins the hierarchies that systemd does not care
// for.
Result<> add_process(const plan::CgroupPlan& plan, const Membership& membership, int pid);
Error unit_exists(const std::string& unit);

// For a further process of the container.
Result<Membership> open_group(const Group& group);

// SIGKILL ends all processes, whatever they fork meanwhile; others are sent to those that are
// found.
Result<> signal_all(const Group& group, int signal);
// With those of sub-cgroups; none if the cgroup is gone or another's.
Result<std::vector<int>> processes(const Group& group);
Result<bool> frozen(const Group& group);
// Every process with those of sub-cgroups; returns when all have stopped. After an error they run
// on.
Result<> freeze(const Group& group);
Result<> thaw(const Group& group);

// Kills what is left, removes the directories with their sub-cgroups, and the parents that were
// made for them if they are empty. A cgroup that is gone or another's is success; one that nobody
// has marked must be empty, unless the group is complete.
// False: it is another's, and its unit with it.
Result<bool> remove(const Group& group);

}  // namespace onggi::cgroups
