// SPDX-License-Identifier: Apache-2.0
// The look-ups before the choice keep both ways alike: what only a copy of the host's mounts with
// the container's root in its place would show goes the ordinary way.
#include "linux/init/host_mounts.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <variant>

namespace onggi {
namespace {

using namespace std::string_view_literals;
using Path = FixedText<4096>;

// What a path of the host leads to, without links; empty: to nothing, to what depends on who asks
// (a process's own files in /proc), or to a namespace.
Path canonical_path(const InitContext& context, const char* path) {
  const UniqueFd opened(sys::openat2(AT_FDCWD, path, O_PATH, RESOLVE_NO_MAGICLINKS));
  struct statfs info = {};
  if (!opened || sys::fstatfs(opened.get(), &info) < 0) return {};
  if (info.f_type == PROC_SUPER_MAGIC || info.f_type == NSFS_MAGIC) return {};
  char target[4096];
  const auto link = text<32>("self/fd/", opened.get());
  const long size =
      sys::readlinkat(context.host_proc.get(), link.c_str(), target, sizeof target - 1);
  if (size <= 0 || target[0] != '/') return {};
  return std::string_view(target, static_cast<size_t>(size));
}

bool is_within(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// In a copy of the host's mounts the container's root is mounted on its place, with all that is
// mounted in it so far. Does this source show anything of that?
bool shows_container(const InitContext& context, const plan::BindMount& step, const Path& root) {
  const Path source = canonical_path(context, context.pool(step.source));
  if (source.empty() || is_within(source.view(), root.view())) return true;
  return step.recursive && (source.view() == "/" || is_within(root.view(), source.view()));
}

bool stands_apart(const InitContext& context) {
  Path root;
  for (const plan::Action& action : context.pool(context.plan.before_pivot)) {
    if (const auto* opened = std::get_if<plan::OpenRootfs>(&action)) {
      root = canonical_path(context, context.pool(opened->path));
      if (root.empty() || root.view() == "/") return false;
    }
    const auto* bind = std::get_if<plan::BindMount>(&action);
    if (bind != nullptr &&
        (shows_container(context, *bind, root) || context.pool(bind->destination) == "/"sv)) {
      return false;  // check_host_tree() could not take back what is the root already
    }
  }
  return true;
}

// Linux 6.8, later than the headers that we build with. Before, namespaces have ascending numbers,
// and move_mount(2) refuses all that is looked for here; from 6.18 on each CPU has numbers of its
// own.
constexpr long kStatMount = 457, kListMount = 458;
constexpr unsigned kUniqueMountId = 0x4000;  // STATX_MNT_ID_UNIQUE
struct MountRequest {                        // struct mnt_id_req
  uint32_t size = sizeof(MountRequest), spare = 0;
  uint64_t mount = 0, parameter = 0;
};
struct MountStatus {  // struct statmount
  uint32_t size, options;
  uint64_t mask;
  uint32_t device[2];
  uint64_t magic;
  char others[480];
};
constexpr uint64_t kFilesystem = 1;  // STATMOUNT_SB_BASIC

// Also one of another kind, which costs no more than time.
bool has_namespace_in_it(int tree) {
  struct statx info = {};
  if (sys::statx(tree, "", AT_EMPTY_PATH, kUniqueMountId, &info) < 0) return false;
  if ((info.stx_mask & kUniqueMountId) == 0) return false;
  const MountRequest below{.mount = info.stx_mnt_id};
  constexpr long kMost = 64;
  uint64_t mounts[kMost];
  const long count = sys::call(kListMount, &below, &mounts[0], kMost, 0);
  if (count == kMost) return true;
  for (long i = 0; i < count; i++) {
    const MountRequest one{.mount = mounts[i], .parameter = kFilesystem};
    MountStatus status = {};
    const long found = sys::call(kStatMount, &one, &status, sizeof status, 0);
    if (found < 0 || status.magic == NSFS_MAGIC) return true;
  }
  return false;
}

Result<UniqueFd> open_own_namespace(const InitContext& context) {
  const long opened = sys::openat(context.host_proc.get(), "self/ns/mnt", O_RDONLY);
  if (opened < 0) return system_error(opened, "open", "/proc/self/ns/mnt");
  return UniqueFd(opened);
}

}  // namespace

Result<> enter_mount_namespace(InitContext& context) {
  const UniqueFd empty(context.plan.fds.empty_mounts);
  if (!empty) return {};
  HostMounts host;
  if (stands_apart(context)) {
    host.host = TRY(open_own_namespace(context));
    context.began_empty = sys::setns(empty.get(), CLONE_NEWNS) == 0;
  }
  const long made = sys::unshare(CLONE_NEWNS);
  if (made < 0) return at_place(system_error(made, "unshare"), "linux.namespaces");
  if (!context.began_empty) return {};
  host.own = TRY(open_own_namespace(context));
  const long root = sys::openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY);
  if (root < 0) return system_error(root, "open", "/");
  host.root.reset(static_cast<int>(root));
  context.host = std::move(host);
  return {};
}

Result<> check_host_tree(const InitContext& context, int tree, const char* what) {
  if (!context.began_empty || !has_namespace_in_it(tree)) return {};
  long detached = sys::fchdir(tree);
  if (detached == 0) detached = sys::umount2(".", 2 /* MNT_DETACH */);
  return system_error(detached < 0 ? detached : -ELOOP, "umount", what);
}

Result<> step_into_host(const InitContext& context, HostView view) {
  const long entered = sys::setns(context.host.host.get(), CLONE_NEWNS);
  if (entered < 0) return system_error(entered, "setns", "the host's mount namespace");
  if (view == HostView::host) return {};
  const long made = sys::unshare(CLONE_NEWNS);
  if (made < 0) return system_error(made, "unshare");
  return change_root_propagation(context.host.propagation);
}

// setns(2) leaves us in what is mounted on top of the root, which is the container's root
// filesystem once that is there; pivot_root(2) wants it to be another one than ours.
Result<> step_back(const InitContext& context) {
  const long entered = sys::setns(context.host.own.get(), CLONE_NEWNS);
  if (entered < 0) return system_error(entered, "setns", "the container's mount namespace");
  const long moved = sys::fchdir(context.host.root.get());
  if (moved < 0) return system_error(moved, "fchdir", "/");
  const long rooted = sys::chroot(".");
  if (rooted < 0) return system_error(rooted, "chroot", "/");
  return {};
}

}  // namespace onggi
