// SPDX-License-Identifier: Apache-2.0
// What is going to be done to cgroups, as a value: the directories, the writes in their order, the
// device rules. The drivers in src/cgroups add no arithmetic and no policy of their own.
#pragma once

#include "plan/device_rules.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace onggi::plan {

// --cgroup-manager and --systemd-cgroup.
enum class CgroupRequest : uint8_t { cgroupfs, systemd, disabled };

enum class CgroupDriver : uint8_t {
  none,      // the container stays in the runtime's cgroups
  cgroupfs,  // directories are made and files written
  systemd,   // a transient unit is asked for, then files are written
};

// One directory of the container's cgroup: there is one in each hierarchy.
struct CgroupDirectory {
  std::string mount_point;  // "/sys/fs/cgroup/cpuset"
  std::string path;         // below it: "/pod/web", cleaned
  bool unified = false;     // cgroup v2
  bool freezer = false;     // v1, with freezer.state
  bool cpuset = false;  // v1, with cpuset.cpus, which a new directory does not take from its parent
  bool managed = false;  // systemd makes it with the unit, moves the process and removes it
};

// One write(2).
struct CgroupSetting {
  uint8_t directory = 0;  // index into CgroupPlan::directories
  std::string file, value;
  std::string place;  // "linux.resources.memory.limit"

  // Written instead where the kernel does not have `file`; empty: there is no other way.
  std::string other_file, other_value;
  // A file with what is in use already: the write is refused if `value` is below it.
  std::string not_below;
  // The kernel not having the file means that there is nothing to limit.
  bool ignore_missing = false;
  // Whether the kernel takes the value depends on another setting (memory.limit_in_bytes <=
  // memory.memsw...), whose old value stands in the way: after EINVAL it is written again when all
  // others are.
  bool retry_last = false;
  // The cure where the kernel does not have the file; static text.
  const char* missing_hint = nullptr;
};

// A controller to be enabled down the path of the v2 directory. Without a place it is enabled for
// its statistics and for the container's own use, and a kernel that refuses is not an error.
struct CgroupController {
  std::string name;
  std::string place;  // of the first setting that needs it
};

// A property of a unit as it goes over D-Bus (org.freedesktop.systemd1(5)). `signature` is a basic
// type, an array of one, or "a(ss)"; `values` are its basic values in their order, numbers in
// decimal, booleans as 0 and 1.
struct UnitProperty {
  std::string name, signature;
  std::vector<std::string> values;
  std::string place;  // in config.json; empty: every unit has it
};

// The transient unit that is the container's cgroup: a scope, or a slice.
struct SystemdUnit {
  std::string name;                      // "onggi-web.scope"
  bool user = false;                     // of the user's manager rather than the system's
  std::vector<UnitProperty> properties;  // but PIDs, which nobody knows yet

  bool is_slice() const { return name.ends_with(".slice"); }
};

struct CgroupPlan {
  CgroupDriver driver = CgroupDriver::none;
  // Nothing was asked of the cgroup: without the permission to make it, the container runs without.
  bool optional = false;
  std::vector<CgroupDirectory> directories;    // in the order of HostFacts::cgroups
  std::vector<CgroupController> controllers;   // v2
  std::vector<CgroupSetting> settings;         // in the order of writing
  std::optional<DevicePolicy> device_program;  // v2; on v1 the rules are settings
  std::optional<uint32_t> owner;               // host uid that the v2 directory is delegated to
  std::optional<SystemdUnit> unit;
  std::vector<std::string> warnings;
};

}  // namespace onggi::plan
