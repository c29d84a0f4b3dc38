// SPDX-License-Identifier: Apache-2.0
// What the planner may know of the host, as a value: the same facts give the same plan on any
// machine.
#pragma once

#include "spec/spec.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace onggi::plan {

enum class CgroupLayout : uint8_t {
  none,    // no cgroup filesystem at /sys/fs/cgroup
  v1,      // controllers mounted one by one
  hybrid,  // the same, with a v2 hierarchy beside them at /sys/fs/cgroup/unified
  v2,      // /sys/fs/cgroup is the one hierarchy
};

// One mounted cgroup hierarchy.
struct CgroupHierarchy {
  std::string mount_point;  // "/sys/fs/cgroup/cpu,cpuacct", absolute
  std::string name;         // its directory name, "cpu,cpuacct"; empty for the one v2 hierarchy
  std::vector<std::string>
      controllers;       // v1: as in /proc/self/cgroup ("name=systemd" too); v2: cgroup.controllers
  std::string own_path;  // cgroup of the runtime itself, "/" or "/user.slice/x"
  bool unified = false;
};

// A user namespace that is to be joined.
struct UserNamespaceFacts {
  std::vector<spec::IdMapping> uid_mappings, gid_mappings;  // host ids as the runtime sees them
  bool set_groups_denied = false;                           // /proc/PID/setgroups
};

// Whether systemd can be asked for a unit. Found only when it is the cgroup manager.
enum class SystemdAccess : uint8_t {
  not_built,  // built without libsystemd
  no_bus,     // no socket to talk to it
  ready,
};

struct HostFacts {
  uint32_t euid = 0, egid = 0;
  bool in_user_namespace = false;                 // not in the initial one
  bool set_groups_denied = false;                 // in the runtime's own user namespace
  bool id_map_programs = false;                   // newuidmap and newgidmap are in $PATH
  std::optional<UserNamespaceFacts> joined_user;  // when linux.namespaces names one by path
  CgroupLayout cgroup_layout = CgroupLayout::none;
  std::vector<CgroupHierarchy> cgroups;  // in the order of their mount points
  uint64_t capabilities = 0;  // the runtime's permitted set: what a container can be given at most
  bool apparmor = false, selinux = false;
  // Looked for only when config.json has linux.intelRdt: the kernel knows it, and where it is
  // mounted (empty: nowhere).
  bool resctrl_known = false;
  std::string resctrl;
  SystemdAccess systemd = SystemdAccess::not_built;
  std::string systemd_cgroup;  // of the manager whose units these will be, "" for the root
};

}  // namespace onggi::plan
