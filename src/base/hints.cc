// SPDX-License-Identifier: Apache-2.0
// (system call, errno) -> what to do about it. The first matching row wins.
#include "base/hints.h"

#include <algorithm>
#include <cerrno>

namespace onggi {
namespace {

struct Hint {
  int errnum;
  std::string_view call;    // empty: any
  std::string_view object;  // what the rest of the message must contain; empty: anything
  std::string_view advice;
};

constexpr std::string_view kMountApi =
    "the new mount API requires Linux 5.12, and a seccomp profile around onggi that permits it";
constexpr std::string_view kTooManyNamespaces =
    "too many namespaces: raise the sysctl user.max_user_namespaces, or that of the namespace type";
constexpr std::string_view kThreaded =
    "the cgroup is in a threaded subtree (see its cgroup.type) and cannot contain a container";
constexpr std::string_view kNoFormat =
    "not a program for this architecture, or a script without a #! line";

constexpr Hint kHints[] = {
    {ENOSPC, "move_mount", "", "the mount namespace is full: raise the sysctl fs.mount-max"},
    {ENOENT, "open_tree", "", "the source of a bind mount must exist"},
    {EINVAL, "open_tree", "",
     "unbindable mounts cannot be bound; in a user namespace, use rbind for a source with mounts "
     "below it"},
    {ENOTDIR, "move_mount", "", "source and destination must both be directories, or neither"},
    {ENOSYS, "open", "",
     "openat2(2) requires Linux 5.6, and a seccomp profile around onggi that permits it"},
    {EAGAIN, "open", "", "files are being renamed during the path lookup: try again"},
    {ENOSYS, "open_tree", "", kMountApi},
    {ENOSYS, "fsopen", "", kMountApi},
    {ENOSYS, "fsmount", "", kMountApi},
    {ENOSYS, "move_mount", "", kMountApi},
    {ENOSYS, "mount_setattr", "", kMountApi},
    {EPERM, "fsmount", "proc",
     "something is mounted inside the host's /proc, as in a container: unmount it, or bind /proc"},
    {EPERM, "fsmount", "sysfs",
     "something is mounted inside the host's /sys, as in a container: unmount it, or bind /sys"},
    {EPERM, "mount_setattr", "", "a user namespace cannot change what the host set for its mounts"},
    {ENODEV, "fsopen", "", "unknown filesystem type, or its kernel module is not loaded"},
    {EINVAL, "pivot_root", "", "use --no-pivot for a root filesystem on the initial ramfs"},

    {EPERM, "clone3", "",
     "without root a user namespace is required: check the sysctls user.max_user_namespaces and "
     "kernel.unprivileged_userns_clone"},
    {ENOSPC, "clone3", "", kTooManyNamespaces},
    {ENOSPC, "unshare", "", kTooManyNamespaces},
    {EAGAIN, "clone3", "",
     "too many processes: check ulimit -u, pids.max and the sysctl kernel.pid_max"},
    {EINVAL, "clone3", "", "the kernel may not support a namespace type in linux.namespaces"},
    {EBUSY, "clone3", "",
     "the cgroup has children with enabled controllers, so it cannot contain processes"},
    {EOPNOTSUPP, "clone3", "", kThreaded},
    {EPERM, "setns", "",
     "joining requires CAP_SYS_ADMIN in the user namespace that owns the target"},
    {EBUSY, "seccomp", "",
     "a seccomp filter around onggi already has a listener, and the kernel allows only one"},
    {EPERM, "setgroups", "", "setgroups(2) is denied in this user namespace"},
    {EPERM, "prlimit", "", "raising a hard limit requires CAP_SYS_RESOURCE"},
    {EPERM, "sched_setattr", "SCHED_DEADLINE",
     "SCHED_DEADLINE requires CAP_SYS_NICE, and all CPUs of the root domain in "
     "linux.resources.cpu.cpus"},
    {EBUSY, "sched_setattr", "SCHED_DEADLINE",
     "the CPUs do not have enough deadline bandwidth left: see the sysctl "
     "kernel.sched_rt_runtime_us"},
    {EPERM, "sched_setattr", "",
     "real-time policies and lower nice values require CAP_SYS_NICE, and on cgroup v1 a budget in "
     "linux.resources.cpu.realtimeRuntime"},
    {EPERM, "ioprio_set", "", "IOPRIO_CLASS_RT requires CAP_SYS_NICE or CAP_SYS_ADMIN"},
    {EINVAL, "set_mempolicy", "",
     "at least one of the nodes must be online and in linux.resources.cpu.mems"},
    {EACCES, "memfd_create", "", "sysctl vm.memfd_noexec=2 forbids executable memfds"},
    {ENOEXEC, "exec", "", kNoFormat},
    {ENOENT, "exec", "", "the file is missing, or the interpreter or dynamic loader that it names"},
    {EACCES, "exec", "",
     "the file and its interpreter must be executable by chmod +x, and on mounts without noexec"},
    {ETXTBSY, "exec", "", "the file is open for writing: close it first"},
    {E2BIG, "exec", "",
     "arguments and environment are too long: 128 KiB for each, and for all a quarter of ulimit "
     "-s"},
    {EACCES, "write", "oom_score_adj", "lowering it requires CAP_SYS_RESOURCE"},

    {ENOSPC, "mkdir", "cgroup",
     "raise cgroup.max.descendants or cgroup.max.depth of the parent cgroups"},
    {ENOSPC, "write", "tasks", "set cpuset.cpus and cpuset.mems of the parent cgroups first"},

    {ENOENT, "connect", "", "start the program that listens on this socket"},
    {ECONNREFUSED, "connect", "", "no program listens on this socket: start it again"},
    {EMFILE, "", "", "too many open files: raise ulimit -n"},
    {ENFILE, "", "", "too many open files on this host: raise the sysctl fs.file-max"},
};

bool matches(const Hint& hint, std::string_view call, std::string_view object, int errnum) {
  return hint.errnum == errnum && (hint.call.empty() || hint.call == call) &&
         object.find(hint.object) != std::string_view::npos;
}

}  // namespace

std::string_view hint_for(std::string_view message, int errnum) {
  const size_t end = std::min(message.find(' '), message.size());
  const std::string_view call = message.substr(0, end);
  const std::string_view object = message.substr(end);
  for (const Hint& hint : kHints) {
    if (matches(hint, call, object, errnum)) return hint.advice;
  }
  return {};
}

}  // namespace onggi
