// SPDX-License-Identifier: Apache-2.0
// The directories of a Group with a part of their paths replaced; what opens them is the driver's.
#include "cgroups/further_process.h"

#include "base/file.h"
#include "base/path.h"

#include <algorithm>

namespace onggi::cgroups {
namespace {

constexpr std::string_view kPlace = "--cgroup";

// A v1 hierarchy is mounted under the names of its controllers, "cpu,cpuacct".
bool has_controller(const GroupDirectory& directory, std::string_view controller) {
  if (directory.unified) return false;
  const std::string& mount_point = directory.mount_point;
  const std::string names = "," + mount_point.substr(mount_point.rfind('/') + 1) + ",";
  return names.find("," + std::string(controller) + ",") != std::string::npos;
}

Result<> check_controllers(const Group& group, const Subgroup& subgroup) {
  for (const std::string& controller : subgroup.controllers) {
    const auto has = [&](const GroupDirectory& each) { return has_controller(each, controller); };
    if (std::ranges::any_of(group.directories, has)) continue;
    return with_hint(
        config_error(kPlace, "the container has no cgroup with the controller '", controller, "'"),
        "on cgroup v2, give one path for all controllers");
  }
  return {};
}

bool names(const Subgroup& subgroup, const GroupDirectory& directory) {
  return subgroup.controllers.empty() ||
         std::ranges::any_of(subgroup.controllers, [&](const std::string& controller) {
           return has_controller(directory, controller);
         });
}

}  // namespace

Result<Membership> open_subgroups(const Group& group, std::span<const Subgroup> subgroups) {
  Group below = group;
  for (const Subgroup& subgroup : subgroups) {
    TRY(check_controllers(group, subgroup));
    const std::string path = "/" + subgroup.path;
    if ((path + "/").find("/../") != std::string::npos)
      return config_error(kPlace, "'", subgroup.path, "' must be below the container's cgroup");
    for (size_t i = 0; i < group.directories.size(); i++) {
      if (!names(subgroup, group.directories[i])) continue;
      below.directories[i].path = clean_path(group.directories[i].path + path);
    }
  }
  return TRY_AT(kPlace, open_group(below));
}

Result<Membership> open_group_of(const Group& group, int pid) {
  constexpr size_t kLimit = size_t{64} * 1024;
  const std::string file = "/proc/" + std::to_string(pid) + "/cgroup";
  const std::string text = "\n" + TRY(read_file(AT_FDCWD, file, kLimit));
  const size_t line = text.find("\n0::");
  if (line == std::string::npos) return open_group(group);
  const size_t start = line + 4;
  Group present = group;
  for (GroupDirectory& directory : present.directories) {
    if (directory.unified) directory.path = text.substr(start, text.find('\n', start) - start);
  }
  return open_group(present);
}

}  // namespace onggi::cgroups
