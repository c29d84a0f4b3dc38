// SPDX-License-Identifier: Apache-2.0
// Device nodes and the links of /dev. A node is made beside the descriptor of its directory and
// checked afterwards, so that an image cannot have another file in its place (CVE-2026-41579,
// CVE-2026-47766).
#include "base/text.h"
#include "linux/init/host_mounts.h"
#include "linux/init/mount_calls.h"
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

// Covers a file, which may be the image's, by a node on a filesystem of ours.
Result<> cover_by_node(const plan::MakeDevice& step, int directory, int target,
                       InitContext& context) {
  const char* path = context.pool(step.path);
  const char* name = "node";
  const UniqueFd filesystem =
      TRY(make_tmpfs("755", nullptr, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC));
  const long made =
      sys::mknodat(filesystem.get(), name, step.mode, device_number(step.major, step.minor));
  if (made < 0) return system_error(made, "mknod", path);
  // Before Linux 6.15 only an attached mount can be copied: it lies over the directory meanwhile.
  const long moved = sys::move_mount(filesystem.get(), "", directory, "",
                                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (moved < 0) return system_error(moved, "move_mount", path);
  const UniqueFd node = TRY(clone_mount(filesystem.get(), name, 0));
  long detached = sys::fchdir(filesystem.get());
  if (detached == 0) detached = sys::umount2(".", 2 /* MNT_DETACH */);
  if (detached == 0) detached = sys::chdir("/");
  if (detached < 0) return system_error(detached, "umount", path);
  return attach(context, node.get(), target, path);
}

// The mode of a new node needs no chmod(2): init runs with umask 0.
Result<> own_device(const plan::MakeDevice& step, int node, const struct statx& info,
                    const InitContext& context) {
  const char* path = context.pool(step.path);
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
  struct statx info = {};
  const long result = sys::statx(node.get(), "", AT_EMPTY_PATH,
                                 STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID, &info);
  if (result < 0) return system_error(result, "statx", path);
  if (!same_device(info, step)) {
    if (step.cover && !S_ISDIR(info.stx_mode))
      return cover_by_node(step, entry.directory, node.get(), context);
    return config_error("", "'", path, "' already exists and is ",
                        S_ISDIR(info.stx_mode) ? "a directory" : "a different device");
  }
  return own_device(step, node.get(), info, context);
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
