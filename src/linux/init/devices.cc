// SPDX-License-Identifier: Apache-2.0
// Device nodes and the links of /dev. A node is made beside the descriptor of its directory and
// checked afterwards, so that an image cannot have another file in its place (CVE-2026-41579,
// CVE-2026-47766).
#include "base/text.h"
#include "linux/init/host_mounts.h"
#include "linux/init/same_device.h"

#include <sys/stat.h>

namespace onggi {
namespace {

// As mknod(2) takes it; makedev(3) is a function of a C library.
uint64_t device_number(uint32_t major, uint32_t minor) {
  return (minor & 0xff) | (uint64_t{major} << 8) | (uint64_t{minor & ~0xffU} << 12);
}

Result<> bind_device(const plan::MakeDevice& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const UniqueFd mount =
      TRY(open_on_host(context, HostView::host, [path] { return clone_mount(AT_FDCWD, path, 0); }));
  struct statx info = {};
  const long result = sys::statx(mount.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info);
  if (result < 0) return system_error(result, "statx", path);
  if (!same_device(info, step))
    return config_error("", "the host's '", path, "' is a different device");
  const UniqueFd target = TRY(context.root.make(path, RootDir::Leaf::file));
  return attach(context, mount.get(), target.get(), path);
}

// The mode of a new node needs no chmod(2): init runs with umask 0.
Result<> own_device(const plan::MakeDevice& step, int node, const InitContext& context) {
  const char* path = context.pool(step.path);
  struct statx info = {};
  const long result =
      sys::statx(node, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID, &info);
  if (result < 0) return system_error(result, "statx", path);
  if (!same_device(info, step))
    return config_error("", "'", path, "' already exists and is a different device");
  if (info.stx_uid != step.uid || info.stx_gid != step.gid) {
    const long owned = sys::fchownat(node, "", step.uid, step.gid, AT_EMPTY_PATH);
    if (owned < 0) return system_error(owned, "chown", path);
  }
  constexpr unsigned kPermissions = 07777;
  if ((info.stx_mode & kPermissions) == (step.mode & kPermissions)) return {};
  // A node that was there. O_PATH descriptors take no fchmod(2), so by the link that names it.
  const auto link = text<32>("self/fd/", node);
  const long changed =
      sys::call(SYS_fchmodat, context.host_proc.get(), link.c_str(), step.mode & kPermissions);
  if (changed < 0) return system_error(changed, "chmod", path);
  return {};
}

// The links to /proc/self/fd come in a row.
bool exists(const char* path, InitContext& context) {
  if (context.existing == path) return true;
  const UniqueFd opened(context.root.open(path, O_PATH | O_NOFOLLOW));
  if (opened) context.existing = path;
  return static_cast<bool>(opened);
}

}  // namespace

Result<> apply(const plan::MakeDevice& step, InitContext& context) {
  if (step.bind) return bind_device(step, context);
  const char* path = context.pool(step.path);
  const RootDir::Entry entry = TRY(context.root.make_parent(path));
  const long made =
      sys::mknodat(entry.directory, entry.name, step.mode, device_number(step.major, step.minor));
  if (made == -EPERM)
    return bind_device(step, context);  // a container in a container, without CAP_MKNOD
  if (made < 0 && made != -EEXIST) return system_error(made, "mknod", path);
  if (made == 0 && step.uid == 0 && step.gid == 0) return {};
  const long opened = sys::openat(entry.directory, entry.name, O_PATH | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd node(opened);
  return own_device(step, node.get(), context);
}

Result<> apply(const plan::MakeLink& step, InitContext& context) {
  if (step.if_exists && !exists(context.pool(step.if_exists), context)) return {};
  const char* path = context.pool(step.path);
  const char* target = context.pool(step.target);
  const RootDir::Entry entry = TRY(context.root.make_parent(path));
  const long made = sys::symlinkat(target, entry.directory, entry.name);
  // An image may bring the link, or a file in its place: config-linux.md wants the link only if
  // nothing is there.
  if (made < 0 && made != -EEXIST) return system_error(made, "symlink", path);
  return {};
}

}  // namespace onggi
