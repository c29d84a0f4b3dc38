// SPDX-License-Identifier: Apache-2.0
// A handful of system calls: this is on the way of every launch.
#include "linux/probe.h"

#include "base/file.h"
#include "linux/id_map_program.h"
#include "linux/id_mappings.h"
#include "linux/resctrl.h"
#include "spec/capabilities.h"

#include <linux/capability.h>
#include <linux/prctl.h>

#include <optional>

namespace onggi {
namespace {

Result<uint64_t> permitted_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  const long result = sys::call(SYS_capget, &header, &data[0]);
  if (result < 0) return system_error(result, "capget");
  return data[0].permitted | static_cast<uint64_t>(data[1].permitted) << 32;
}

// Built in is not in force. securityfs would tell, too, but is not mounted everywhere.
bool apparmor_enabled() {
  const Result<std::string> enabled =
      read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16);
  return enabled && enabled.value().starts_with('Y');
}

bool exists(const char* path) {
  return sys::call(SYS_faccessat, AT_FDCWD, path, 0) == 0;
}

}  // namespace

// The initial user namespace maps every id to itself (user_namespaces(7)).
Result<bool> in_user_namespace() {
  static std::optional<bool> known;
  if (known) return *known;
  const std::vector<spec::IdMapping> mappings = TRY(read_id_map("/proc/self/uid_map"));
  known = mappings.empty() || mappings[0].container_id != 0 || mappings[0].host_id != 0 ||
          mappings[0].size != ~0U;
  return *known;
}

Result<> probe_host(plan::HostFacts& facts) {
  facts.euid = static_cast<uint32_t>(sys::call(SYS_geteuid));
  facts.egid = static_cast<uint32_t>(sys::call(SYS_getegid));
  facts.in_user_namespace = TRY(in_user_namespace());
  // The initial namespace cannot be denied it (user_namespaces(7)).
  if (facts.in_user_namespace)
    facts.set_groups_denied =
        TRY(read_file(AT_FDCWD, "/proc/self/setgroups", 16)).starts_with("deny");
  facts.id_map_programs = facts.euid != 0 && has_id_map_programs();
  facts.capabilities = TRY(permitted_capabilities());
  facts.apparmor = apparmor_enabled();
  // There only when the module is in force, not merely built in (selinux(8)).
  facts.selinux = exists("/sys/fs/selinux/enforce");
  return {};
}

Result<> probe_resctrl(plan::HostFacts& facts) {
  constexpr size_t kLimit = size_t{16} << 20;  // a line a mount
  const std::string known = TRY(read_file(AT_FDCWD, "/proc/filesystems", kLimit));
  facts.resctrl_known = known.find("\tresctrl\n") != std::string::npos;
  if (!facts.resctrl_known) return {};
  facts.resctrl = resctrl::find_mount(TRY(read_file(AT_FDCWD, "/proc/mounts", kLimit)));
  return {};
}

std::vector<std::string> kernel_capabilities() {
  std::vector<std::string> names;
  // capabilities(7): EINVAL for the first that the kernel does not know.
  for (unsigned number = 0; sys::prctl(PR_CAPBSET_READ, number) >= 0; number++) {
    names.push_back(spec::capability_name(number));
  }
  return names;
}

}  // namespace onggi
