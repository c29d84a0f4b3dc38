// SPDX-License-Identifier: Apache-2.0
// Changes to what is mounted already: the `remount` option, and what is made read-only or given its
// propagation in the end.
#include "linux/init/context.h"
#include "linux/init/mount_calls.h"

namespace onggi {
namespace {

// The mount itself must be there: the attributes of a directory in the middle of one would be those
// of the whole mount.
Result<UniqueFd> open_mount(const InitContext& context, const char* destination) {
  const long opened = context.root.open(destination);
  if (opened < 0) return system_error(opened, "open", destination);
  UniqueFd mount(opened);
  struct statx info = {};
  const long result = sys::statx(mount.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info);
  if (result < 0) return system_error(result, "statx", destination);
  if ((info.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) {
    return with_hint(config_error("", "nothing is mounted on '", destination, "'"),
                     "remount changes an existing mount: add that mount before this one");
  }
  return mount;
}

Result<> reconfigure(int mount, const plan::Remount& step, const plan::PoolView& pool) {
  if (step.options.count == 0) return {};
  const char* destination = pool(step.destination);
  const long picked = sys::fspick(mount, "", FSPICK_EMPTY_PATH | FSPICK_NO_AUTOMOUNT);
  if (picked < 0) return system_error(picked, "fspick", destination);
  const UniqueFd filesystem(picked);
  TRY(set_options(filesystem.get(), pool(step.options), pool));
  return complete(filesystem.get(), FSCONFIG_CMD_RECONFIGURE, destination);
}

}  // namespace

Result<> apply(const plan::Remount& step, InitContext& context) {
  const char* destination = context.pool(step.destination);
  const UniqueFd mount = TRY(open_mount(context, destination));
  TRY(reconfigure(mount.get(), step, context.pool));
  TRY(set_attributes(mount.get(), step.attributes, destination));
  return set_propagation(mount.get(), context.pool(step.propagation), destination);
}

Result<> apply(const plan::RootPropagation& step, InitContext& context) {
  return set_propagation(context.root.fd(), {&step.propagation, 1}, "/");
}

Result<> apply(const plan::ReadonlyRootfs&, InitContext& context) {
  return set_attributes(context.root.fd(), 0, MOUNT_ATTR_RDONLY, 0, "/");
}

Result<> apply(const plan::MakeCwd& step, InitContext& context) {
  const Result<UniqueFd> made =
      context.root.make(context.pool(step.path), RootDir::Leaf::directory);
  // What only the program's own user may enter is left to enter_cwd_again().
  if (!made && made.error().errnum != EACCES) return made.error();
  return {};
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
