// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "layer/attributes.h"

#include "base/log.h"
#include "base/split.h"
#include "base/syscalls.h"

#include <algorithm>
#include <ctime>

namespace onggi::image {
namespace {

// Those are the host's: a label by its policy, ACLs of a server.
constexpr std::string_view kHostsOwn[] = {"security.selinux", "system.nfs4_acl"};

bool is_hosts_own(std::string_view name) {
  return std::ranges::find(kHostsOwn, name) != std::end(kHostsOwn);
}

timespec time_of(Timestamp time) {
  return {time.seconds, static_cast<long>(time.nanoseconds)};
}

}  // namespace

void Notices::once(std::string_view about, std::string_view message) {
  if (said_.emplace(about).second) log::warn(message);
}

Attributes::Attributes(Notices& notices)
    : notices_(notices), privileged_(sys::call(SYS_geteuid) == 0) {}

Result<> Attributes::check_owner(const TarEntry& entry) {
  for (uint64_t id : {entry.uid, entry.gid}) {
    if (id >= UINT32_MAX)
      return make_error(ErrorKind::invalid_config, "owner ", id, " is too large");
  }
  return {};
}

Result<> Attributes::set_owner(int directory, const char* name, int flags, const TarEntry& entry) {
  if (!privileged_) {
    if (entry.uid != 0 || entry.gid != 0) {
      notices_.once("owner",
                    "not root: every file belongs to this user, owners of the image are lost");
    }
    return {};
  }
  const long changed = sys::fchownat(directory, name, static_cast<uint32_t>(entry.uid),
                                     static_cast<uint32_t>(entry.gid), flags);
  if (changed == 0) return {};
  const Error error = system_error(changed, "chown", entry.name);
  if (changed != -EINVAL) return error;
  return with_hint(
      error, text<160>("is ", entry.uid, ":", entry.gid, " mapped in this user namespace?").view());
}

Result<> Attributes::set_xattrs(int fd, const std::string& node, const TarEntry& entry) {
  for (const auto& [name, value] : entry.xattrs) {
    if (is_hosts_own(name)) {
      notices_.once(name, "extended attribute " + name + " is the host's own, ignoring");
      continue;
    }
    // No call sets an attribute relative to a directory before Linux 6.13.
    const std::string path = "/proc/self/fd/" + std::to_string(fd) + "/" + node;
    const long set = node.empty() ? sys::fsetxattr(fd, name.c_str(), value.data(), value.size())
                                  : sys::call(SYS_lsetxattr, path.c_str(), name.c_str(),
                                              value.data(), value.size(), 0);
    if (set == 0) continue;
    // user.* of links and devices, trusted.* without privileges, filesystems without any.
    if (set != -EPERM && set != -EOPNOTSUPP) {
      return system_error(set, "setxattr", text<256>(entry.name, " ", name).view());
    }
    notices_.once("xattr", "extended attribute " + name + " of " + entry.name +
                               " cannot be set here, ignoring this and others");
  }
  return {};
}

Result<> Attributes::clear_xattrs(int fd) {
  std::string names(64u << 10, '\0');  // XATTR_LIST_MAX
  const long size = sys::call(SYS_flistxattr, fd, names.data(), names.size());
  if (size == -EOPNOTSUPP) return {};
  if (size < 0) return system_error(size, "listxattr");
  names.resize(static_cast<size_t>(size));
  for (std::string_view name : split(names, '\0')) {
    if (is_hosts_own(name)) continue;
    const long removed = sys::call(SYS_fremovexattr, fd, name.data());
    if (removed < 0 && removed != -EPERM) return system_error(removed, "removexattr", name);
  }
  return {};
}

Result<> Attributes::set_file(int fd, const TarEntry& entry) {
  TRY(set_owner(fd, "", AT_EMPTY_PATH, entry));
  TRY(set_xattrs(fd, {}, entry));
  const long changed = sys::fchmod(fd, entry.mode);
  if (changed < 0) return system_error(changed, "chmod", entry.name);
  return set_times(fd, nullptr, 0, entry.mtime, entry.atime);
}

Result<> Attributes::set_directory(int fd, const TarEntry& entry) {
  TRY(set_owner(fd, "", AT_EMPTY_PATH, entry));
  TRY(clear_xattrs(fd));
  return set_xattrs(fd, {}, entry);
}

Result<> Attributes::set_node(int directory, const std::string& name, const TarEntry& entry) {
  TRY(set_owner(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, entry));
  TRY(set_xattrs(directory, name, entry));
  if (entry.type != EntryType::symlink) {
    const long changed = sys::call(SYS_fchmodat, directory, name.c_str(), entry.mode);
    if (changed < 0) return system_error(changed, "chmod", entry.name);
  }
  return set_times(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, entry.mtime, entry.atime);
}

Result<> set_times(int directory, const char* name, int flags, Timestamp mtime,
                   std::optional<Timestamp> atime) {
  const timespec times[] = {time_of(atime.value_or(mtime)), time_of(mtime)};
  const long set = sys::call(SYS_utimensat, directory, name, times, flags);
  if (set < 0) return system_error(set, "utimensat");
  return {};
}

}  // namespace onggi::image
