// SPDX-License-Identifier: Apache-2.0
// linux.maskedPaths: a file is covered by the null device, a directory by an empty, read-only
// tmpfs. One such tmpfs serves all directories: a superblock each stalls hosts with many CPUs (runc
// 5275). Without a null device that is proven to be one, nothing is masked and the container does
// not start (CVE-2025-31133).
#include "linux/init/context.h"
#include "linux/init/mount_calls.h"

#include <sys/stat.h>

namespace onggi {
namespace {

Result<> open_dev_null(InitContext& context) {
  const long opened = context.root.open("/dev/null", O_PATH | O_NOFOLLOW);
  if (opened < 0) return system_error(opened, "open", "/dev/null");
  UniqueFd null(opened);
  struct statx info = {};
  const long result = sys::statx(null.get(), "", AT_EMPTY_PATH, STATX_TYPE, &info);
  if (result < 0) return system_error(result, "statx", "/dev/null");
  if (!S_ISCHR(info.stx_mode) || info.stx_rdev_major != 1 || info.stx_rdev_minor != 3) {
    return make_error(ErrorKind::system, "'/dev/null' in the container is not the null device");
  }
  context.dev_null = std::move(null);
  return {};
}

Result<> make_masked_directory(InitContext& context, int target, const plan::MaskPath& step) {
  const long opened = sys::fsopen("tmpfs");
  if (opened < 0) return system_error(opened, "fsopen", "tmpfs");
  const UniqueFd filesystem(opened);
  for (const auto& [key, value] : {std::pair{"source", "tmpfs"}, std::pair{"nr_inodes", "1"},
                                   std::pair{"size", "4096"}, std::pair{"mode", "555"}}) {
    TRY(set_option(filesystem.get(), key, value));
  }
  if (step.label) TRY(set_option(filesystem.get(), "context", context.pool(step.label)));
  TRY(complete(filesystem.get(), FSCONFIG_CMD_CREATE, "tmpfs"));
  const long mounted = sys::fsmount(filesystem.get(), MOUNT_ATTR_RDONLY);
  if (mounted < 0) return system_error(mounted, "fsmount", "tmpfs");
  UniqueFd mount(mounted);
  TRY(attach(context, mount.get(), target, context.pool(step.path)));
  context.masked_directory = std::move(mount);
  return {};
}

}  // namespace

Result<> apply(const plan::MaskPath& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const long opened = context.root.open(path);
  if (opened == -ENOENT || opened == -ENOTDIR) return {};  // nothing to hide
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd target(opened);
  const bool directory = S_ISDIR(mode_of(target.get()));
  if (directory && !context.masked_directory)
    return make_masked_directory(context, target.get(), step);
  if (!directory && !context.dev_null) TRY(open_dev_null(context));
  const UniqueFd& cover = directory ? context.masked_directory : context.dev_null;
  const long tree = sys::open_tree(cover.get(), "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree < 0) return system_error(tree, "open_tree", path);
  const UniqueFd mount(tree);
  return attach(context, mount.get(), target.get(), path);
}

}  // namespace onggi
