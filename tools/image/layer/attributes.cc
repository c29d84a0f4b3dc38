// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "layer/attributes.h"

#include "base/file.h"
#include "base/log.h"
#include "base/split.h"
#include "base/syscalls.h"
#include "layer/xattrs.h"

#include <ctime>

namespace onggi::image {
namespace {

// Escaped ones are an image's.
bool is_overlays_own(std::string_view name) {
  for (std::string_view prefix : {"trusted.overlay.", "user.overlay."}) {
    if (name.starts_with(prefix)) return !name.substr(prefix.size()).starts_with("overlay.");
  }
  return false;
}

timespec time_of(Timestamp time) {
  return {time.seconds, static_cast<long>(time.nanoseconds)};
}

// umask(2) can only be read by setting it, for all threads. All bits if it is not known.
uint32_t read_umask() {
  constexpr std::string_view kKey = "Umask:\t";
  constexpr uint32_t kAll = 0777;
  const Result<std::string> status = read_file(AT_FDCWD, "/proc/self/status", 64u << 10);
  if (!status) return kAll;
  for (std::string_view line : lines_of(status.value())) {
    if (!line.starts_with(kKey)) continue;
    uint32_t mask = 0;
    for (char c : line.substr(kKey.size())) mask = mask * 8 + static_cast<uint32_t>(c - '0');
    return mask;
  }
  return kAll;
}

Result<> clear(const Xattrs& xattrs) {
  const std::vector<std::string> names = TRY(xattrs.names());
  for (const std::string& name : names) {
    if (is_hosts_own(name)) continue;
    const long removed = xattrs.remove(name);
    if (removed < 0 && removed != -EPERM && removed != -EOPNOTSUPP)
      return system_error(removed, "removexattr", name);
  }
  return {};
}

Error mode_error(long result, const TarEntry& entry) {
  return system_error(result, "chmod", entry.name);
}

}  // namespace

void Notices::once(std::string_view about, std::string_view message) {
  if (said_.emplace(about).second) log::warn(message);
}

Attributes::Attributes(Notices& notices)
    : notices_(notices),
      privileged_(sys::call(SYS_geteuid) == 0),
      own_group_(static_cast<uint32_t>(sys::call(SYS_getegid))),
      umask_(read_umask()) {}

Result<> Attributes::check_owner(const TarEntry& entry) {
  for (uint64_t id : {entry.uid, entry.gid}) {
    if (id >= UINT32_MAX)
      return make_error(ErrorKind::invalid_config, "owner ", id, " is too large");
  }
  return {};
}

uint32_t Attributes::creation_mode(const TarEntry& entry) const {
  return entry.xattrs.empty() ? entry.mode & 0777 : 0600;
}

Result<> Attributes::set_owner(int directory, const char* name, int flags, const TarEntry& entry,
                               const Origin& origin) {
  if (!privileged_) {
    if (entry.uid != 0 || entry.gid != 0) {
      notices_.once("owner",
                    "not root: every file belongs to this user; the owners in the image are lost");
    }
    return {};
  }
  const bool right = !origin.existed && !origin.inherits;
  if (right && entry.uid == 0 && entry.gid == own_group_) return {};
  const long changed = sys::fchownat(directory, name, static_cast<uint32_t>(entry.uid),
                                     static_cast<uint32_t>(entry.gid), flags);
  if (changed == 0) return {};
  const Error error = system_error(changed, "chown", entry.name);
  if (changed != -EINVAL) return error;
  return with_hint(
      error, text<160>("is ", entry.uid, ":", entry.gid, " mapped in this user namespace?").view());
}

Result<> Attributes::set_xattrs(int fd, bool path_only, const TarEntry& entry) {
  const Xattrs xattrs(fd, path_only);
  for (const auto& [name, value] : entry.xattrs) {
    if (is_hosts_own(name)) {
      notices_.once(name, "extended attribute " + name + " belongs to the host, ignoring");
      continue;
    }
    const long set = xattrs.set(name, value);
    if (set == 0) continue;
    // user.* of links and devices, trusted.* without privileges, filesystems without any.
    if (set != -EPERM && set != -EOPNOTSUPP) {
      return system_error(set, "setxattr", text<256>(entry.name, " ", name).view());
    }
    notices_.once("xattr", "extended attribute " + name + " of " + entry.name +
                               " cannot be set, ignoring this and others");
  }
  return {};
}

Result<> Attributes::set_file(int fd, const TarEntry& entry, const Origin& origin) {
  TRY(set_owner(fd, "", AT_EMPTY_PATH, entry, origin));
  if (origin.inherits) TRY(clear(Xattrs(fd, false)));
  TRY(set_xattrs(fd, false, entry));
  const bool right =
      !origin.inherits && entry.xattrs.empty() && (origin.mode & ~umask_) == entry.mode;
  const long changed = right ? 0 : sys::fchmod(fd, entry.mode);
  if (changed < 0) return mode_error(changed, entry);
  return set_times(fd, nullptr, 0, entry.mtime, entry.atime);
}

Result<> Attributes::set_directory(int fd, const TarEntry& entry, const Origin& origin) {
  TRY(set_owner(fd, "", AT_EMPTY_PATH, entry, origin));
  if (origin.existed || origin.inherits) TRY(clear(Xattrs(fd, false)));
  return set_xattrs(fd, false, entry);
}

// By a descriptor: chmod(2) of a name would follow a link that somebody has put in its place.
Result<> Attributes::set_mode_and_xattrs(int directory, const std::string& name,
                                         const TarEntry& entry, const Origin& origin) {
  const bool link = entry.type == EntryType::symlink;
  if (link && entry.xattrs.empty()) return {};
  const long opened = sys::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", entry.name);
  const UniqueFd fd(opened);
  if (origin.inherits && !link) TRY(clear(Xattrs(fd.get(), true)));
  TRY(set_xattrs(fd.get(), true, entry));
  if (link) return {};
  const std::string path = "/proc/self/fd/" + std::to_string(fd.get());
  const long changed = sys::call(SYS_fchmodat, AT_FDCWD, path.c_str(), entry.mode);
  if (changed < 0) return mode_error(changed, entry);
  return {};
}

Result<> Attributes::set_node(int directory, const std::string& name, const TarEntry& entry,
                              const Origin& origin) {
  TRY(set_owner(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, entry, origin));
  TRY(set_mode_and_xattrs(directory, name, entry, origin));
  return set_times(directory, name.c_str(), AT_SYMLINK_NOFOLLOW, entry.mtime, entry.atime);
}

bool has_default_acl(int directory) {
  return sys::call(SYS_fgetxattr, directory, kDefaultAcl.data(), nullptr, 0) > 0;
}

Result<> copy_directory_attributes(int from, int to) {
  const Xattrs source(from, false), target(to, false);
  const std::vector<std::string> names = TRY(source.names());
  for (const std::string& name : names) {
    if (is_hosts_own(name) || is_overlays_own(name)) continue;
    const std::string value = TRY(source.get(name));
    const long set = target.set(name, value);
    if (set < 0) return system_error(set, "setxattr", name);
  }
  struct statx info = {};
  long done = sys::statx(from, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &info);
  if (done < 0) return system_error(done, "statx");
  done = sys::fchownat(to, "", info.stx_uid, info.stx_gid, AT_EMPTY_PATH);
  if (done < 0) return system_error(done, "chown");
  done = sys::fchmod(to, info.stx_mode & 07777);
  if (done < 0) return system_error(done, "chmod");
  return set_times(to, nullptr, 0, {info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec},
                   Timestamp{info.stx_atime.tv_sec, info.stx_atime.tv_nsec});
}

Result<> set_times(int directory, const char* name, int flags, Timestamp mtime,
                   std::optional<Timestamp> atime) {
  const timespec times[] = {time_of(atime.value_or(mtime)), time_of(mtime)};
  const long set = sys::call(SYS_utimensat, directory, name, times, flags);
  if (set < 0) return system_error(set, "utimensat");
  return {};
}

}  // namespace onggi::image
