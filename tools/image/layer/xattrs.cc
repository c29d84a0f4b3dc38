// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "layer/xattrs.h"

#include "base/split.h"
#include "base/syscalls.h"

#include <algorithm>

namespace onggi::image {
namespace {

constexpr size_t kNamesSize = 64u << 10, kValueSize = 64u << 10;  // XATTR_LIST_MAX, XATTR_SIZE_MAX
constexpr std::string_view kHostsOwn[] = {"security.selinux", "system.nfs4_acl"};

}  // namespace

bool is_hosts_own(std::string_view name) {
  return std::ranges::find(kHostsOwn, name) != std::end(kHostsOwn);
}

Xattrs::Xattrs(int fd, bool path_only) : fd_(fd) {
  if (path_only) path_ = "/proc/self/fd/" + std::to_string(fd);
}

Result<std::vector<std::string>> Xattrs::names() const {
  std::vector<std::string> names;
  std::string text(256, '\0');  // most files have none or few
  long size = -ERANGE;
  while (size == -ERANGE && text.size() <= kNamesSize) {
    size = path_.empty() ? sys::call(SYS_flistxattr, fd_, text.data(), text.size())
                         : sys::call(SYS_listxattr, path_.c_str(), text.data(), text.size());
    if (size == -ERANGE) text.resize(text.size() * 16);
  }
  if (size == -EOPNOTSUPP) return names;
  if (size < 0) return system_error(size, "listxattr");
  text.resize(static_cast<size_t>(size));
  for (std::string_view name : split(text, '\0')) names.emplace_back(name);
  return names;
}

Result<std::string> Xattrs::get(const std::string& name) const {
  std::string value(kValueSize, '\0');
  const long size =
      path_.empty()
          ? sys::call(SYS_fgetxattr, fd_, name.c_str(), value.data(), value.size())
          : sys::call(SYS_getxattr, path_.c_str(), name.c_str(), value.data(), value.size());
  if (size < 0) return system_error(size, "getxattr", name);
  value.resize(static_cast<size_t>(size));
  return value;
}

long Xattrs::set(const std::string& name, std::string_view value) const {
  if (path_.empty()) return sys::fsetxattr(fd_, name.c_str(), value.data(), value.size());
  return sys::call(SYS_setxattr, path_.c_str(), name.c_str(), value.data(), value.size(), 0);
}

long Xattrs::remove(const std::string& name) const {
  if (path_.empty()) return sys::call(SYS_fremovexattr, fd_, name.c_str());
  return sys::call(SYS_removexattr, path_.c_str(), name.c_str());
}

}  // namespace onggi::image
