// SPDX-License-Identifier: Apache-2.0
// The change of root. From here on "/" is the container's.
#include "linux/init/context.h"

namespace onggi {
namespace {

Result<> pivot() {
  // Both arguments the same directory: the old root ends up on top of the new one and is detached
  // from there, so that no directory for it is needed in the image (pivot_root(2), NOTES). Every
  // mount is a slave or private by now.
  const long pivoted = sys::pivot_root(".", ".");
  if (pivoted < 0) return system_error(pivoted, "pivot_root");
  const long unmounted = sys::umount2(".", 2 /* MNT_DETACH */);
  if (unmounted < 0) return system_error(unmounted, "umount", "the old root");
  return {};
}

Result<> move() {
  // The host's proc and sysfs would stay below the new root, in full: a nested user namespace could
  // then mount a proc of its own without the masks of this one (mount_too_revealing in the kernel's
  // fs/namespace.c).
  for (const char* path : {"/proc", "/sys"}) (void)sys::umount2(path, 2 /* MNT_DETACH */);
  const long moved = sys::mount(".", "/", nullptr, MS_MOVE, nullptr);
  if (moved < 0) return system_error(moved, "mount MS_MOVE", "/");
  const long rooted = sys::chroot(".");
  if (rooted < 0) return system_error(rooted, "chroot");
  return {};
}

}  // namespace

Result<> apply(const plan::EnterRootfs& step, InitContext& context) {
  const long entered = sys::fchdir(context.root.fd());
  if (entered < 0) return system_error(entered, "fchdir", "the root filesystem");
  switch (step.way) {
    case plan::EnterRootfs::Way::pivot:
      TRY(pivot());
      break;
    case plan::EnterRootfs::Way::move:
      TRY(move());
      break;
    case plan::EnterRootfs::Way::chroot: {
      const long rooted = sys::chroot(".");
      if (rooted < 0) return system_error(rooted, "chroot");
      break;
    }
  }
  const long changed = sys::chdir("/");
  if (changed < 0) return system_error(changed, "chdir", "/");
  return {};
}

}  // namespace onggi
