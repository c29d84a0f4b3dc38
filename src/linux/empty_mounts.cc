// SPDX-License-Identifier: Apache-2.0
// Whoever makes the directory makes the namespace, so of two at once one goes without. All of this
// saves time only: whatever is wrong with it, containers begin with the host's mounts.
#include "linux/empty_mounts.h"

#include "base/log.h"
#include "base/text.h"
#include "linux/clone.h"
#include "linux/socket_message.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sys/vfs.h>

#include <utility>

namespace onggi {
namespace {

constexpr const char* kFile = "@mounts/namespace";  // what the namespace's own file is mounted on
constexpr size_t kMostCpus = 1024;
constexpr int kDetach = 2, kNoFollow = 8;  // MNT_DETACH, UMOUNT_NOFOLLOW

bool is_mount_namespace(int fd) {
  struct statfs info = {};
  return sys::fstatfs(fd, &info) == 0 && info.f_type == NSFS_MAGIC &&
         sys::ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNS;
}

// What the child needs, on the parent's stack.
struct Request {
  int channel;
  int proc;
  int cpu;  // where it is to be made; -1: anywhere
};

Result<UniqueFd> make_tmpfs() {
  const long opened = sys::fsopen("tmpfs");
  if (opened < 0) return system_error(opened, "fsopen", "tmpfs");
  const UniqueFd filesystem(opened);
  for (const auto& [key, value] : {std::pair{"source", "tmpfs"}, std::pair{"nr_inodes", "1"},
                                   std::pair{"size", "4096"}, std::pair{"mode", "555"}}) {
    const long set = sys::fsconfig(filesystem.get(), FSCONFIG_SET_STRING, key, value);
    if (set < 0) return system_error(set, "fsconfig", key);
  }
  const long made = sys::fsconfig(filesystem.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr);
  if (made < 0) return system_error(made, "mount", "tmpfs");
  const long mounted = sys::fsmount(filesystem.get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                                          MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  if (mounted < 0) return system_error(mounted, "fsmount", "tmpfs");
  return UniqueFd(mounted);
}

Result<> leave_mounts(int cpu) {
  if (cpu >= 0) {
    uint64_t mask[kMostCpus / 64] = {};
    mask[cpu / 64] = uint64_t{1} << (cpu % 64);
    const long moved = sys::call(SYS_sched_setaffinity, 0, sizeof mask, &mask[0]);
    if (moved < 0) return system_error(moved, "sched_setaffinity");
  }
  const long made = sys::unshare(CLONE_NEWNS);
  if (made < 0) return system_error(made, "unshare");
  return {};
}

// In a copy of our mounts, of which nothing is to be left.
Result<> replace_root() {
  const long apart = sys::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr);
  if (apart < 0) return system_error(apart, "mount", "/");
  const UniqueFd root = TRY(make_tmpfs());
  const long attached = sys::move_mount(root.get(), "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
  if (attached < 0) return system_error(attached, "move_mount", "/");
  const long entered = sys::fchdir(root.get());
  if (entered < 0) return system_error(entered, "fchdir");
  const long pivoted = sys::pivot_root(".", ".");
  if (pivoted < 0) return system_error(pivoted, "pivot_root");
  const long unmounted = sys::umount2(".", kDetach);
  if (unmounted < 0) return system_error(unmounted, "umount", "/");
  return {};
}

// On borrowed memory: raw system calls only. The descriptor on its way keeps the namespace when we
// are gone.
void make_namespace(void* argument) {
  const auto& request = *static_cast<const Request*>(argument);
  Result<> replaced = leave_mounts(request.cpu);
  if (replaced) replaced = replace_root();
  const long opened = sys::openat(request.proc, "self/ns/mnt", O_RDONLY);
  if (replaced && opened >= 0) {
    Message made;
    made.kind = MessageKind::source;
    (void)send_message(request.channel, made, static_cast<int>(opened));
  } else {
    (void)send_failure(request.channel,
                       replaced ? system_error(opened, "open", "ns/mnt") : replaced.error());
  }
  sys::exit_group(0);
}

Result<UniqueFd> new_namespace(int cpu) {
  SocketPair channel = TRY(make_socket_pair(SOCK_SEQPACKET));
  const long opened = sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY);
  if (opened < 0) return system_error(opened, "open", "/proc");
  const UniqueFd proc(opened);
  Request request{.channel = channel.second.get(), .proc = proc.get(), .cpu = cpu};
  const Child child = TRY(clone_borrowing({}, make_namespace, &request));
  channel.second.reset();
  int status = 0;
  (void)sys::waitpid(child.pid, status);
  std::optional<Received> answer = TRY(receive_message(channel.first.get()));
  if (!answer) return make_error(ErrorKind::system, "the process that creates it died");
  if (!answer->fd) return answer->message.error;
  return std::move(answer->fd);
}

// The kernel refuses to mount the file of a mount namespace where it would have to propagate it, as
// below a shared /run (attach_recursive_mnt() in its fs/namespace.c): so on a private mount.
Result<UniqueFd> make_private(int directory) {
  const long cloned = sys::open_tree(directory, kEmptyMounts, OPEN_TREE_CLONE);
  if (cloned < 0) return system_error(cloned, "open_tree", kEmptyMounts);
  UniqueFd place(cloned);
  const long placed =
      sys::move_mount(place.get(), "", directory, kEmptyMounts, MOVE_MOUNT_F_EMPTY_PATH);
  if (placed < 0) return system_error(placed, "move_mount", kEmptyMounts);
  mount_attr attributes = {};
  attributes.propagation = MS_PRIVATE;
  const long apart = sys::mount_setattr(place.get(), "", AT_EMPTY_PATH, attributes);
  if (apart < 0) return system_error(apart, "mount_setattr", kEmptyMounts);
  const long created = sys::openat(directory, kFile, O_CREAT | O_EXCL | O_RDONLY, 0400);
  if (created < 0) return system_error(created, "create", kFile);
  return UniqueFd(created);
}

Result<UniqueFd> attach_new(int target, int cpu) {
  UniqueFd made = TRY(new_namespace(cpu));
  const long tree = sys::open_tree(made.get(), "", OPEN_TREE_CLONE | unsigned{AT_EMPTY_PATH});
  if (tree < 0) return system_error(tree, "open_tree", "ns/mnt");
  const UniqueFd file(tree);
  const long kept = sys::move_mount(file.get(), "", target, "",
                                    MOVE_MOUNT_F_EMPTY_PATH | unsigned{MOVE_MOUNT_T_EMPTY_PATH});
  if (kept < 0) return system_error(kept, "move_mount", kFile);
  return made;
}

bool is_refused(const Result<UniqueFd>& attached) {
  return !attached && attached.error().errnum == ELOOP;
}

// A mount namespace may be mounted only in an older one, which is told by their numbers. Since
// Linux 6.18 each CPU has numbers of its own: those of the CPU that ours was made on are higher.
Result<UniqueFd> make_and_attach(int directory) {
  const UniqueFd target = TRY(make_private(directory));
  Result<UniqueFd> kept = attach_new(target.get(), -1);
  uint64_t allowed[kMostCpus / 64] = {};
  if (!is_refused(kept) || sys::call(SYS_sched_getaffinity, 0, sizeof allowed, &allowed[0]) < 0) {
    return kept;
  }
  for (size_t cpu = 0; cpu < kMostCpus; cpu++) {
    if ((allowed[cpu / 64] >> (cpu % 64) & 1) == 0) continue;
    Result<UniqueFd> again = attach_new(target.get(), static_cast<int>(cpu));
    if (!is_refused(again)) return again;
  }
  return kept;
}

// All but the directory.
void detach(int directory) {
  for (const char* name : {kFile, kEmptyMounts}) {
    const auto path = text<64>("/proc/self/fd/", directory, "/", name);
    while (sys::umount2(path.c_str(), kDetach | kNoFollow) == 0) {
    }
  }
  (void)sys::unlinkat(directory, kFile, 0);
}

}  // namespace

UniqueFd keep_empty_mounts(int directory) {
  const long found = sys::openat(directory, kFile, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (found >= 0) {
    UniqueFd kept(found);
    return is_mount_namespace(kept.get()) ? std::move(kept) : UniqueFd();
  }
  if (sys::mkdirat(directory, kEmptyMounts, 0700) < 0) return UniqueFd();
  Result<UniqueFd> made = make_and_attach(directory);
  if (made) return std::move(made).value();
  log::debug(log::error_text("cannot create an empty mount namespace", made.error()));
  detach(directory);
  return UniqueFd();
}

void remove_empty_mounts(int directory) {
  if (sys::call(SYS_faccessat, directory, kEmptyMounts, 0) < 0) return;
  detach(directory);
  (void)sys::unlinkat(directory, kEmptyMounts, AT_REMOVEDIR);
}

}  // namespace onggi
