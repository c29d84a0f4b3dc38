// SPDX-License-Identifier: Apache-2.0
// Mounts through the descriptor-based interface (fsopen(2), open_tree(2), move_mount(2),
// mount_setattr(2)): attributes are set before the mount is visible to anybody, and the target is a
// descriptor that was looked up inside the root.
#include "base/text.h"
#include "linux/init/host_mounts.h"
#include "linux/socket_message.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <string_view>

namespace onggi {
namespace {

using namespace std::string_view_literals;

// SELinux decides by it who may use the queues; context= is refused by mqueue.
Result<> set_root_label(int mount, const char* label, const char* type) {
  if (label[0] == 0) return {};
  const long opened = sys::openat(mount, ".", O_RDONLY | O_DIRECTORY);
  if (opened < 0) return system_error(opened, "open", type);
  const UniqueFd directory(opened);
  const long set = sys::fsetxattr(directory.get(), "security.selinux", label, strlen(label) + 1);
  if (set < 0) return at_place(system_error(set, "fsetxattr", label), "linux.mountLabel");
  return {};
}

Result<> set_mode(int filesystem, unsigned mode) {
  char octal[] = "0000";
  for (int i = 0; i < 4; i++) octal[i] = static_cast<char>('0' + ((mode >> (9 - 3 * i)) & 7));
  return set_option(filesystem, "mode", octal);
}

// There a new mount of cgroup2 sets the options of the host's, which is the same filesystem
// (apply_cgroup_root_flags() in the kernel's kernel/cgroup/cgroup.c). We are there by a namespace
// that config.json joins; the number is fixed (PROC_CGROUP_INIT_INO in its proc_ns.h).
bool in_first_cgroup_namespace(const InitContext& context) {
  struct statx info = {};
  return sys::statx(context.host_proc.get(), "self/ns/cgroup", 0, STATX_INO, &info) < 0 ||
         info.stx_ino == 0xEFFFFFFBU;
}

// A detached mount of the new filesystem, with the mode of `model` if there is one.
Result<UniqueFd> make_filesystem(const plan::FilesystemMount& step, const plan::PoolView& pool,
                                 const UniqueFd* model) {
  const char* type = pool(step.type);
  const long opened = sys::fsopen(type);
  if (opened < 0) return system_error(opened, "fsopen", type);
  const UniqueFd filesystem(opened);
  if (step.source) TRY(set_option(filesystem.get(), "source", pool(step.source)));
  TRY(set_options(filesystem.get(), pool(step.options), pool));
  if (model != nullptr) TRY(set_mode(filesystem.get(), mode_of(model->get()) & 07777));
  TRY(complete(filesystem.get(), FSCONFIG_CMD_CREATE, type));
  const long mounted = sys::fsmount(filesystem.get(), step.attributes);
  if (mounted < 0) return system_error(mounted, "fsmount", type);
  return UniqueFd(mounted);
}

// Only the runtime has the rights to open and map this source; the step's number tells it which.
Result<UniqueFd> ask_for_source(const InitContext& context) {
  Message request;
  request.kind = MessageKind::request;
  request.step = context.step;
  TRY(send_message(context.channel, request));
  std::optional<Received> answer = TRY(receive_message(context.channel));
  if (!answer) sys::exit_group(1);  // the runtime is gone
  if (!answer->fd) return answer->message.error;
  return std::move(answer->fd);
}

// The runtime's answer comes from where we are at the moment.
Result<UniqueFd> open_source(const plan::BindMount& step, const InitContext& context) {
  if (step.id_map >= 0) return ask_for_source(context);
  const unsigned flags = step.recursive ? AT_RECURSIVE : 0U;
  Result<UniqueFd> tree = clone_mount(AT_FDCWD, context.pool(step.source), flags);
  const bool refused = !tree && (tree.error().errnum == EACCES || tree.error().errnum == EPERM);
  if (refused && step.ask_when_refused) return ask_for_source(context);
  return tree;
}

bool on_proc(int fd) {
  struct statfs info = {};
  return sys::fstatfs(fd, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

// Under /proc a mount could stand in for the files that labels and limits are written to
// (CVE-2019-16884). Nothing can be made there.
Result<MountPoint> open_target(InitContext& context, const char* destination, RootDir::Leaf leaf,
                               bool over_proc) {
  MountPoint target = TRY(context.root.make_mount_point(destination, leaf));
  if (!over_proc && target.existing && on_proc(target.existing.get())) {
    return config_error("", "destination '", destination, "' is inside a proc filesystem");
  }
  return target;
}

// proc and sysfs: a symbolic link in the image would put them elsewhere and leave the masks without
// effect.
Result<MountPoint> open_ordinary_directory(InitContext& context, const char* destination) {
  const long opened = context.root.open(destination, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (opened >= 0) return MountPoint{.existing = UniqueFd(opened)};
  if (opened == -ELOOP || opened == -ENOTDIR) {
    return config_error("", "'", destination,
                        "' must be mounted on ordinary directory, without symbolic links");
  }
  if (opened != -ENOENT) return system_error(opened, "open", destination);
  const RootDir::Entry entry = TRY(context.root.make_parent(destination));
  const long made = sys::mkdirat(entry.directory, entry.name, 0755);
  if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", destination);
  const long again = context.root.open(destination, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (again == -ELOOP) {
    return config_error("", "'", destination,
                        "' must be mounted on ordinary directory, without symbolic links");
  }
  if (again < 0) return system_error(again, "open", destination);
  return MountPoint{.existing = UniqueFd(again)};
}

// A directory that is made for a tmpfs without a mode gets the one that the tmpfs has: when the
// container starts again it was there before, and gives its mode.
Result<MountPoint> open_target(const plan::FilesystemMount& step, InitContext& context) {
  const char* destination = context.pool(step.destination);
  if (step.ordinary_directory) return open_ordinary_directory(context, destination);
  const auto leaf = step.inherit_mode ? RootDir::Leaf::shared_directory : RootDir::Leaf::directory;
  return open_target(context, destination, leaf, step.over_proc);
}

Result<> bind(const plan::BindMount& step, InitContext& context, HostView view) {
  const char* destination = context.pool(step.destination);
  Result<UniqueFd> opened = open_on_host(context, view, [&] { return open_source(step, context); });
  if (!opened && step.empty_if_missing && opened.error().errnum == ENOENT) {
    const MountPoint target =
        TRY(context.root.make_mount_point(destination, RootDir::Leaf::directory));
    return cover_directory(context, target, destination);
  }
  const UniqueFd tree = TRY(std::move(opened));
  if (step.proc_source && !on_proc(tree.get())) {
    return config_error("", "only a proc filesystem may be mounted on '", destination, "'");
  }
  const auto leaf = S_ISDIR(mode_of(tree.get())) ? RootDir::Leaf::directory : RootDir::Leaf::file;
  TRY(set_attributes(tree.get(), step.attributes, destination));
  const MountPoint target = TRY(open_target(context, destination, leaf, step.over_proc));
  TRY(attach(context, tree.get(), target, destination));
  if (view == HostView::host && step.recursive)
    TRY(check_host_tree(context, tree.get(), destination));
  return set_propagation(tree.get(), context.pool(step.propagation), destination);
}

Result<> open_root(const char* path, InitContext& context, HostView view) {
  UniqueFd directory;
  UniqueFd tree = TRY(open_on_host(context, view, [&]() -> Result<UniqueFd> {
    const long opened = sys::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
    if (opened < 0) return system_error(opened, "open", path);
    directory.reset(static_cast<int>(opened));
    return clone_mount(directory.get(), "", AT_RECURSIVE);
  }));
  const int target = context.began_empty ? context.host.root.get() : directory.get();
  const long moved = sys::move_mount(tree.get(), "", target, "",
                                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (moved < 0) return system_error(moved, "move_mount", path);
  if (view == HostView::host) TRY(check_host_tree(context, tree.get(), path));
  context.root = RootDir(std::move(tree));
  return {};
}

bool holds_namespace(const Result<>& attached, const InitContext& context) {
  return !attached && attached.error().errnum == ELOOP && context.began_empty;
}

}  // namespace

Result<> attach(InitContext& context, int mount, const MountPoint& target,
                const char* destination) {
  if (target.existing) return attach(context, mount, target.existing.get(), destination);
  const long moved =
      sys::move_mount(mount, "", target.directory, target.name, MOVE_MOUNT_F_EMPTY_PATH);
  if (moved < 0) return system_error(moved, "move_mount", destination);
  return {};
}

Result<> attach(InitContext& context, int mount, int target, const char* destination) {
  context.root.forget();
  context.existing = {};
  long moved =
      sys::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  // mount(2) has ENOTDIR for it, and dockerd matches those words.
  if (moved == -EINVAL && S_ISDIR(mode_of(mount)) != S_ISDIR(mode_of(target))) moved = -ENOTDIR;
  if (moved < 0) return system_error(moved, "move_mount", destination);
  if (destination != "/"sv) return {};
  // A mount on top of the root is the root from now on; a descriptor does not see what is mounted
  // over it.
  const long root = sys::fcntl(mount, F_DUPFD_CLOEXEC, 3);
  if (root < 0) return system_error(root, "fcntl", destination);
  context.root = RootDir(UniqueFd(root));
  return {};
}

Result<> apply(const plan::SetRootPropagation& step, InitContext& context) {
  context.host.propagation = step.propagation;
  return change_root_propagation(step.propagation);
}

Result<> apply(const plan::OpenRootfs& step, InitContext& context) {
  const char* path = context.pool(step.path);
  if (step.clone) {
    const Result<> opened = open_root(path, context, HostView::host);
    return holds_namespace(opened, context) ? open_root(path, context, HostView::copy) : opened;
  }
  const long opened = sys::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  if (opened < 0) return system_error(opened, "open", path);
  context.root = RootDir(UniqueFd(opened));
  return {};
}

Result<> apply(const plan::BindMount& step, InitContext& context) {
  const Result<> bound = bind(step, context, HostView::host);
  return holds_namespace(bound, context) ? bind(step, context, HostView::copy) : bound;
}

Result<UniqueFd> make_filesystem(const plan::FilesystemMount& step, const InitContext& context,
                                 const MountPoint& target) {
  const char* type = context.pool(step.type);
  if (type == "cgroup2"sv && in_first_cgroup_namespace(context))
    return system_error(-EPERM, "mount", type);
  const bool has_model = step.inherit_mode && target.existing && !target.made;
  return make_filesystem(step, context.pool, has_model ? &target.existing : nullptr);
}

Result<> apply(const plan::FilesystemMount& step, InitContext& context) {
  const char* destination = context.pool(step.destination);
  const MountPoint target = TRY(open_target(step, context));
  const bool covers = target.existing && !target.made;
  Result<UniqueFd> made = make_filesystem(step, context, target);
  if (!made && step.fallback_source &&
      (made.error().errnum == EPERM || made.error().errnum == EBUSY)) {
    Result<UniqueFd> cloned = open_on_host(context, HostView::host, [&] {
      return clone_mount(AT_FDCWD, context.pool(step.fallback_source), AT_RECURSIVE);
    });
    if (!cloned && step.empty_if_missing && cloned.error().errnum == ENOENT)
      return cover_directory(context, target, destination);
    const UniqueFd tree = TRY(std::move(cloned));
    TRY(set_attributes(tree.get(), AT_RECURSIVE, step.attributes, 0, destination));
    return attach(context, tree.get(), target, destination);
  }
  const UniqueFd mount = TRY(std::move(made));
  TRY(set_root_label(mount.get(), context.pool(step.root_label), context.pool(step.type)));
  if (step.copy_up && covers) TRY(copy_up(target.existing.get(), mount.get()));
  TRY(attach(context, mount.get(), target, destination));
  return set_propagation(mount.get(), context.pool(step.propagation), destination);
}

}  // namespace onggi
