// SPDX-License-Identifier: Apache-2.0
// One read of /proc/self/cgroup names every hierarchy and its controllers; one statfs(2) each finds
// it below /sys/fs/cgroup. /proc/self/mountinfo would tell the same, but grows with every container
// on the host.
#include "cgroups/probe.h"

#include "base/file.h"
#include "base/split.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace onggi::cgroups {
namespace {

constexpr std::string_view kRoot = "/sys/fs/cgroup";
constexpr size_t kFileLimit = 1 << 20;

std::vector<std::string> names_in(std::string_view list, char separator) {
  std::vector<std::string> names;
  for (std::string_view name : split(list, separator)) names.emplace_back(name);
  return names;
}

// The magic number of the file system at `path`; 0 when there is nothing.
long magic_of(const std::string& path) {
  struct statfs info = {};
  return sys::call(SYS_statfs, path.c_str(), &info) == 0 ? static_cast<long>(info.f_type) : 0;
}

// The directory of a v1 hierarchy: "cpu,cpuacct" or, where somebody chose another name for
// controllers mounted together, that of one of them. A named hierarchy ("name=systemd") has its
// name's directory.
std::optional<std::string> find_legacy_mount(std::string_view controllers) {
  if (controllers.starts_with("name=")) controllers.remove_prefix(5);
  const auto mounted = [](std::string_view name) {
    return magic_of(std::string(kRoot).append("/").append(name)) == CGROUP_SUPER_MAGIC;
  };
  if (mounted(controllers)) return std::string(controllers);
  if (controllers.find(',') == std::string_view::npos) return std::nullopt;
  for (std::string_view name : split(controllers, ',')) {
    if (mounted(name)) return std::string(name);
  }
  return std::nullopt;
}

Result<plan::CgroupHierarchy> unified_hierarchy(std::string_view mount_point, std::string_view name,
                                                std::string_view own_path) {
  plan::CgroupHierarchy hierarchy{
      std::string(mount_point), std::string(name), {}, std::string(own_path), true};
  const std::string available =
      TRY(read_file(AT_FDCWD, hierarchy.mount_point + "/cgroup.controllers", kFileLimit));
  for (std::string_view line : lines_of(available)) hierarchy.controllers = names_in(line, ' ');
  return hierarchy;
}

// One line of /proc/self/cgroup below a directory of v1 hierarchies: "4:cpu,cpuacct:/a" or, of v2,
// "0::/a".
Result<> add_hierarchy(std::string_view line, plan::HostFacts& facts) {
  const size_t first = line.find(':');
  const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
  if (second == std::string_view::npos) return {};
  const std::string_view controllers = line.substr(first + 1, second - first - 1);
  const std::string_view own_path = line.substr(second + 1);
  if (controllers.empty()) {
    constexpr std::string_view kUnified = "/sys/fs/cgroup/unified";
    if (magic_of(std::string(kUnified)) != CGROUP2_SUPER_MAGIC) return {};
    facts.cgroups.push_back(TRY(unified_hierarchy(kUnified, "unified", own_path)));
    facts.cgroup_layout = plan::CgroupLayout::hybrid;
    return {};
  }
  const std::optional<std::string> name = find_legacy_mount(controllers);
  if (!name) return {};
  facts.cgroups.push_back({.mount_point = std::string(kRoot) + "/" + *name,
                           .name = *name,
                           .controllers = names_in(controllers, ','),
                           .own_path = std::string(own_path)});
  if (facts.cgroup_layout == plan::CgroupLayout::none) facts.cgroup_layout = plan::CgroupLayout::v1;
  return {};
}

// Process 1 is in "init.scope" of it, and systemd may be running in a container.
std::string manager_of_system(std::string_view path) {
  constexpr std::string_view kOwn = "/init.scope";
  if (path.ends_with(kOwn)) path.remove_suffix(kOwn.size());
  return path == "/" ? std::string() : std::string(path);
}

// "/user.slice/user-1000.slice/user@1000.service", from what is in it or beside it
// ("session-3.scope"). The uid in a path is that of the initial user namespace, our own may not be.
std::string manager_of_user(std::string_view path, uint32_t euid) {
  constexpr std::string_view kSlice = "/user.slice/user-";
  std::string uid = std::to_string(euid);
  if (const size_t slice = path.find(kSlice); slice != std::string_view::npos) {
    const std::string_view rest = path.substr(slice + kSlice.size());
    uid = rest.substr(0, rest.find('.'));
  }
  return std::string(kSlice) + uid + ".slice/user@" + uid + ".service";
}

}  // namespace

Result<> probe(plan::HostFacts& facts) {
  facts.cgroup_layout = plan::CgroupLayout::none;
  facts.cgroups.clear();
  const long magic = magic_of(std::string(kRoot));
  if (magic == 0) return {};
  const std::string own = TRY(read_file(AT_FDCWD, "/proc/self/cgroup", kFileLimit));
  if (magic == CGROUP2_SUPER_MAGIC) {
    std::string_view own_path = "/";
    for (std::string_view line : lines_of(own)) {
      if (line.starts_with("0::")) own_path = line.substr(3);
    }
    facts.cgroup_layout = plan::CgroupLayout::v2;
    facts.cgroups.push_back(TRY(unified_hierarchy(kRoot, "", own_path)));
    return {};
  }
  for (std::string_view line : lines_of(own)) TRY(add_hierarchy(line, facts));
  // /proc lists the hierarchies as they were mounted, newest first; a plan should not depend on
  // that.
  std::ranges::sort(facts.cgroups, {}, &plan::CgroupHierarchy::mount_point);
  return {};
}

void probe_systemd_cgroup(plan::HostFacts& facts) {
  const bool system = facts.euid == 0 && !facts.in_user_namespace;
  // A user's manager is where logind starts it, and so is whatever it has started.
  const char* file = system ? "/proc/1/cgroup" : "/proc/self/cgroup";
  const Result<std::string> text = read_file(AT_FDCWD, file, kFileLimit);
  if (!text) return;
  for (std::string_view line : lines_of(text.value())) {
    const size_t path = line.find('/');
    if (path == std::string_view::npos) continue;
    if (!line.starts_with("0::") && line.find(":name=systemd:") == std::string_view::npos) continue;
    facts.systemd_cgroup = system ? manager_of_system(line.substr(path))
                                  : manager_of_user(line.substr(path), facts.euid);
    return;
  }
}

}  // namespace onggi::cgroups
