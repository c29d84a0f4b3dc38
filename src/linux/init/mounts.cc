// SPDX-License-Identifier: Apache-2.0
// Mounts through the descriptor-based interface (fsopen(2), open_tree(2), move_mount(2),
// mount_setattr(2)): attributes are set before the mount is visible to anybody, and the target is a
// descriptor that was looked up inside the root.
#include "base/text.h"
#include "linux/init/context.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <string_view>

namespace onggi {
namespace {

using namespace std::string_view_literals;

// The kernel's own words for the last refusal, e.g. "tmpfs: Bad value for 'size'". One message a
// read(2), prefixed by its level and a blank (fsopen(2)).
void add_mount_log(int filesystem, Error& error) {
  char line[256];
  const long size = sys::read(filesystem, line, sizeof line);
  if (size <= 2) return;
  std::string_view text(line + 2, static_cast<size_t>(size) - 2);
  if (text.ends_with('\n')) text.remove_suffix(1);
  error.message.append(" (", text, ")");
}

Result<> configure(int filesystem, const plan::FilesystemMount& step, const plan::PoolView& pool,
                   unsigned mode) {
  const auto set = [&](const char* key, const char* value) -> Result<> {
    const unsigned command = value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    const long result = sys::fsconfig(filesystem, command, key, value);
    if (result == 0) return {};
    Error error = system_error(result, "fsconfig", key);
    add_mount_log(filesystem, error);
    return error;
  };
  if (step.source) TRY(set("source", pool(step.source)));
  for (const plan::FilesystemOption& option : pool(step.options)) {
    TRY(set(pool(option.key), option.value ? pool(option.value) : nullptr));
  }
  if (mode == 0) return {};
  char octal[] = "0000";
  for (int i = 0; i < 4; i++) octal[i] = static_cast<char>('0' + ((mode >> (9 - 3 * i)) & 7));
  return set("mode", octal);
}

// A detached mount of the new filesystem.
Result<UniqueFd> make_filesystem(const plan::FilesystemMount& step, const plan::PoolView& pool,
                                 unsigned mode) {
  const char* type = pool(step.type);
  const long opened = sys::fsopen(type);
  if (opened < 0) return system_error(opened, "fsopen", type);
  const UniqueFd filesystem(opened);
  TRY(configure(filesystem.get(), step, pool, mode));
  const long created = sys::fsconfig(filesystem.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr);
  if (created < 0) {
    Error error = system_error(created, "mount", type);
    add_mount_log(filesystem.get(), error);
    return error;
  }
  const long mounted = sys::fsmount(filesystem.get(), step.attributes);
  if (mounted < 0) return system_error(mounted, "fsmount", type);
  return UniqueFd(mounted);
}

Result<> set_attributes(int mount, unsigned flags, uint64_t set, uint64_t clear,
                        std::string_view what) {
  if ((set | clear) == 0) return {};
  const mount_attr attributes{.attr_set = set, .attr_clr = clear, .propagation = 0, .userns_fd = 0};
  const long result = sys::mount_setattr(mount, "", AT_EMPTY_PATH | flags, attributes);
  if (result < 0) return system_error(result, "mount_setattr", what);
  return {};
}

Result<> set_propagation(int mount, std::span<const plan::Propagation> list,
                         std::string_view what) {
  for (const plan::Propagation& propagation : list) {
    mount_attr attributes = {};
    attributes.propagation = propagation.type;
    const unsigned flags = AT_EMPTY_PATH | (propagation.recursive != 0 ? AT_RECURSIVE : 0U);
    const long result = sys::mount_setattr(mount, "", flags, attributes);
    if (result < 0) return system_error(result, "mount_setattr", what);
  }
  return {};
}

Result<UniqueFd> clone_mount(int directory, const char* path, unsigned flags) {
  const unsigned empty = path[0] == 0 ? AT_EMPTY_PATH : 0U;
  const long tree = sys::open_tree(directory, path, OPEN_TREE_CLONE | empty | flags);
  if (tree < 0) return system_error(tree, "open_tree", path);
  return UniqueFd(tree);
}

bool on_proc(int fd) {
  struct statfs info = {};
  return sys::fstatfs(fd, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

Result<UniqueFd> open_target(const InitContext& context, const char* destination,
                             RootDir::Leaf leaf, bool over_proc) {
  UniqueFd target = TRY(context.root.make(destination, leaf));
  // Under /proc a mount could stand in for the files that labels and limits are written to
  // (CVE-2019-16884).
  if (!over_proc && on_proc(target.get())) {
    return config_error("", "destination '", destination, "' is inside a proc filesystem");
  }
  return target;
}

// proc and sysfs: a symbolic link in the image would put them elsewhere and leave the masks without
// effect.
Result<UniqueFd> open_ordinary_directory(const InitContext& context, const char* destination) {
  const long opened = context.root.open(destination, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (opened >= 0) return UniqueFd(opened);
  if (opened == -ELOOP || opened == -ENOTDIR) {
    return config_error("", "'", destination,
                        "' must be mounted on ordinary directory, without symbolic links");
  }
  if (opened != -ENOENT) return system_error(opened, "open", destination);
  const RootDir::Entry entry = TRY(context.root.make_parent(destination));
  const long made = sys::mkdirat(entry.directory.get(), entry.name, 0755);
  if (made < 0 && made != -EEXIST) return system_error(made, "mkdir", destination);
  const long again = context.root.open(destination, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS);
  if (again == -ELOOP) {
    return config_error("", "'", destination,
                        "' must be mounted on ordinary directory, without symbolic links");
  }
  if (again < 0) return system_error(again, "open", destination);
  return UniqueFd(again);
}

}  // namespace

Result<> attach(InitContext& context, int mount, int target, const char* destination) {
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

Result<> apply(const plan::SetRootPropagation& step, InitContext&) {
  const unsigned long flags =
      step.propagation.type | (step.propagation.recursive != 0 ? MS_REC : 0U);
  const long result = sys::mount(nullptr, "/", nullptr, flags, nullptr);
  if (result < 0) return system_error(result, "mount", "/");
  return {};
}

Result<> apply(const plan::OpenRootfs& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const long opened = sys::openat(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  if (opened < 0) return system_error(opened, "open", path);
  UniqueFd directory(opened);
  if (!step.clone) {
    context.root = RootDir(std::move(directory));
    return {};
  }
  UniqueFd tree = TRY(clone_mount(directory.get(), "", AT_RECURSIVE));
  const long moved = sys::move_mount(tree.get(), "", directory.get(), "",
                                     MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
  if (moved < 0) return system_error(moved, "move_mount", path);
  context.root = RootDir(std::move(tree));
  return {};
}

Result<> apply(const plan::BindMount& step, InitContext& context) {
  const char* source = context.pool(step.source);
  const char* destination = context.pool(step.destination);
  const UniqueFd tree = TRY(clone_mount(AT_FDCWD, source, step.recursive ? AT_RECURSIVE : 0U));
  if (step.proc_source && !on_proc(tree.get())) {
    return config_error("", "only a proc filesystem may be mounted on '", destination, "'");
  }
  const auto leaf = S_ISDIR(mode_of(tree.get())) ? RootDir::Leaf::directory : RootDir::Leaf::file;
  TRY(set_attributes(tree.get(), 0, step.attributes.set, step.attributes.clear, destination));
  TRY(set_attributes(tree.get(), AT_RECURSIVE, step.attributes.recursive_set,
                     step.attributes.recursive_clear, destination));
  const UniqueFd target = TRY(open_target(context, destination, leaf, step.over_proc));
  TRY(attach(context, tree.get(), target.get(), destination));
  return set_propagation(tree.get(), context.pool(step.propagation), destination);
}

Result<> apply(const plan::FilesystemMount& step, InitContext& context) {
  const char* destination = context.pool(step.destination);
  const UniqueFd target =
      step.ordinary_directory
          ? TRY(open_ordinary_directory(context, destination))
          : TRY(open_target(context, destination, RootDir::Leaf::directory, step.over_proc));
  const unsigned mode = step.inherit_mode ? mode_of(target.get()) & 07777 : 0;
  Result<UniqueFd> made = make_filesystem(step, context.pool, mode);
  if (!made && step.fallback_source &&
      (made.error().errnum == EPERM || made.error().errnum == EBUSY)) {
    const UniqueFd tree =
        TRY(clone_mount(AT_FDCWD, context.pool(step.fallback_source), AT_RECURSIVE));
    TRY(set_attributes(tree.get(), AT_RECURSIVE, step.attributes, 0, destination));
    return attach(context, tree.get(), target.get(), destination);
  }
  const UniqueFd mount = TRY(std::move(made));
  if (step.copy_up) TRY(copy_up(target.get(), mount.get()));
  TRY(attach(context, mount.get(), target.get(), destination));
  return set_propagation(mount.get(), context.pool(step.propagation), destination);
}

Result<> apply(const plan::RootPropagation& step, InitContext& context) {
  return set_propagation(context.root.fd(), {&step.propagation, 1}, "/");
}

Result<> apply(const plan::ReadonlyRootfs&, InitContext& context) {
  return set_attributes(context.root.fd(), 0, MOUNT_ATTR_RDONLY, 0, "/");
}

Result<> apply(const plan::RemountReadonly& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const long opened = context.root.open(path);
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd mount(opened);
  return set_attributes(mount.get(), 0, MOUNT_ATTR_RDONLY, 0, path);
}

Result<> apply(const plan::ReadonlyPath& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const long opened = context.root.open(path);
  if (opened == -ENOENT || opened == -ENOTDIR)
    return {};  // config-linux.md#readonly-paths: nothing to protect
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd target(opened);
  const UniqueFd tree = TRY(clone_mount(target.get(), "", AT_RECURSIVE));
  TRY(set_attributes(tree.get(), 0, MOUNT_ATTR_RDONLY, 0, path));
  return attach(context, tree.get(), target.get(), path);
}

}  // namespace onggi
