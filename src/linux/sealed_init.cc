// SPDX-License-Identifier: Apache-2.0
// memfd_create(2), and what stands in for it where its files cannot be executed.
#include "linux/sealed_init.h"

#include "base/file.h"
#include "linux/embedded.h"

#include <string>

namespace onggi {
namespace {

// <linux/memfd.h> and <linux/fcntl.h> of newer kernels.
constexpr unsigned kMfdCloexec = 0x1, kMfdAllowSealing = 0x2, kMfdNoexecSeal = 0x8, kMfdExec = 0x10;
constexpr int kAddSeals = 1033;
// SEAL, SHRINK, GROW, FUTURE_WRITE. Not WRITE, which fails with EBUSY while the kernel happens to
// hold a page for its own ends (reclaim, compaction): it differs only in writable mappings that
// exist already, and there are none.
constexpr int kSealAll = 0x1 | 0x2 | 0x4 | 0x10;

// A read-only mount of its own: the file behind it may be writable, but not through /proc/PID/exe.
Result<UniqueFd> open_installed_init() {
  const long tree = sys::open_tree(AT_FDCWD, kInitProgram.installed, OPEN_TREE_CLONE);
  if (tree < 0) {
    return with_hint(system_error(tree, "open_tree", kInitProgram.installed),
                     "the sysctl vm.memfd_noexec=2 forbids executable memfds: install onggi-init");
  }
  const UniqueFd mount(tree);
  const mount_attr attributes{
      .attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
  const long readonly = sys::mount_setattr(mount.get(), "", AT_EMPTY_PATH, attributes);
  if (readonly < 0) return system_error(readonly, "mount_setattr", kInitProgram.installed);
  const std::string path = "/proc/self/fd/" + std::to_string(mount.get());
  const long opened = sys::openat(AT_FDCWD, path.c_str(), O_RDONLY);
  if (opened < 0) return system_error(opened, "open", kInitProgram.installed);
  return UniqueFd(opened);
}

}  // namespace

Result<UniqueFd> make_sealed_memfd(const char* name, std::string_view bytes, bool executable) {
  const unsigned flags = kMfdCloexec | kMfdAllowSealing;
  long created = sys::memfd_create(name, flags | (executable ? kMfdExec : kMfdNoexecSeal));
  if (created == -EINVAL) created = sys::memfd_create(name, flags);  // before Linux 6.3
  if (created < 0) return system_error(created, "memfd_create", name);
  UniqueFd memfd(created);
  TRY(write_all(memfd.get(), name, bytes));
  // Who executes what he may not read is not dumpable (ptrace(2)), so that nobody gets hold of init
  // or of what it has open: launch.cc.
  const long limited = executable ? sys::fchmod(memfd.get(), 0111) : 0;
  if (limited < 0) return system_error(limited, "fchmod", name);
  const long sealed = sys::fcntl(memfd.get(), kAddSeals, kSealAll);
  if (sealed < 0) return system_error(sealed, "fcntl F_ADD_SEALS", name);
  return memfd;
}

Result<UniqueFd> open_sealed_init() {
  Result<UniqueFd> memfd = make_sealed_memfd(kInitProgram.name, kInitProgram.bytes(), true);
  if (!memfd && memfd.error().errnum == EACCES) return open_installed_init();
  return memfd;
}

}  // namespace onggi
