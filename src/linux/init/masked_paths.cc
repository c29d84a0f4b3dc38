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

// An empty, read-only filesystem, detached.
Result<UniqueFd> make_empty(const InitContext& context, plan::Text label) {
  return make_tmpfs("555", label ? context.pool(label) : nullptr, MOUNT_ATTR_RDONLY);
}

Result<> cover(InitContext& context, const UniqueFd& by, int target, const char* path) {
  const long tree = sys::open_tree(by.get(), "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
  if (tree < 0) return system_error(tree, "open_tree", path);
  const UniqueFd mount(tree);
  return attach(context, mount.get(), target, path);
}

}  // namespace

Result<> cover_directory(InitContext& context, const MountPoint& target, const char* path) {
  const UniqueFd mount = TRY(make_empty(context, {}));
  return attach(context, mount.get(), target, path);
}

Result<> apply(const plan::MaskPath& step, InitContext& context) {
  const char* path = context.pool(step.path);
  const long opened = context.root.open(path);
  if (opened == -ENOENT || opened == -ENOTDIR) return {};  // nothing to hide
  if (opened < 0) return system_error(opened, "open", path);
  const UniqueFd target(opened);
  if (S_ISDIR(mode_of(target.get()))) {
    if (context.masked_directory)
      return cover(context, context.masked_directory, target.get(), path);
    context.masked_directory = TRY(make_empty(context, step.label));
    return attach(context, context.masked_directory.get(), target.get(), path);
  }
  if (!context.dev_null) TRY(open_dev_null(context));
  return cover(context, context.dev_null, target.get(), path);
}

}  // namespace onggi
