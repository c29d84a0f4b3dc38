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
    "the new mount calls need Linux 5.12, and no seccomp filter around this program that blocks "
    "them";
constexpr std::string_view kTooManyNamespaces =
    "too many namespaces, see sysctl user.max_user_namespaces and its siblings";
constexpr std::string_view kThreaded =
    "the cgroup is in a threaded subtree (see its cgroup.type), which cannot hold containers";
constexpr std::string_view kNoFormat =
    "not a program for this architecture, or a script without a #! line";

constexpr Hint kHints[] = {
    {ENOSPC, "move_mount", "", "the mount namespace is full, see sysctl fs.mount-max"},
    {ENOENT, "open_tree", "", "the source of a bind mount must exist"},
    {EINVAL, "open_tree", "",
     "an unbindable mount cannot be bound, and in a user namespace a tree with other mounts in it "
     "only by rbind"},
    {ENOTDIR, "move_mount", "", "source and destination must both be directories, or neither"},
    {ENOSYS, "open", "",
     "openat2(2) needs Linux 5.6, and no seccomp filter around this program that blocks it"},
    {EAGAIN, "open", "", "files on this host are renamed faster than a path can be looked up"},
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
    {EINVAL, "pivot_root", "", "a rootfs on the initial ramfs needs --no-pivot"},

    {EPERM, "clone3", "",
     "without root a user namespace is needed, see sysctl user.max_user_namespaces and "
     "kernel.unprivileged_userns_clone"},
    {ENOSPC, "clone3", "", kTooManyNamespaces},
    {ENOSPC, "unshare", "", kTooManyNamespaces},
    {EAGAIN, "clone3", "", "too many processes, see ulimit -u, pids.max and sysctl kernel.pid_max"},
    {EINVAL, "clone3", "", "the kernel may lack a namespace type that linux.namespaces asks for"},
    {EBUSY, "clone3", "", "the cgroup has children with controllers, so it cannot hold processes"},
    {EOPNOTSUPP, "clone3", "", kThreaded},
    {EPERM, "setns", "", "joining needs CAP_SYS_ADMIN in the user namespace that owns the target"},
    {EBUSY, "seccomp", "",
     "a seccomp filter around this program has a listener already, and the kernel allows one"},
    {EPERM, "setgroups", "", "the user namespace was set up with setgroups denied"},
    {EPERM, "prlimit", "", "raising a hard limit needs CAP_SYS_RESOURCE"},
    {EPERM, "sched_setattr", "SCHED_DEADLINE",
     "it needs CAP_SYS_NICE, and all CPUs of the root domain: none may be missing from "
     "linux.resources.cpu.cpus"},
    {EBUSY, "sched_setattr", "SCHED_DEADLINE",
     "the CPUs have no such share of time left for deadline tasks, see sysctl "
     "kernel.sched_rt_runtime_us"},
    {EPERM, "sched_setattr", "",
     "a real-time policy or a lower nice value needs CAP_SYS_NICE, and on cgroup v1 a share in "
     "linux.resources.cpu.realtimeRuntime"},
    {EPERM, "ioprio_set", "", "IOPRIO_CLASS_RT needs CAP_SYS_NICE or CAP_SYS_ADMIN"},
    {EINVAL, "set_mempolicy", "",
     "one of the nodes must be online on this host and in linux.resources.cpu.mems"},
    {EACCES, "memfd_create", "", "sysctl vm.memfd_noexec=2 forbids executable memfds"},
    {ENOEXEC, "exec", "", kNoFormat},
    {ENOENT, "exec", "",
     "the file does not exist, or the interpreter or dynamic loader that it names"},
    {EACCES, "exec", "",
     "the file and its interpreter must be executable (chmod +x), and on mounts without noexec"},
    {ETXTBSY, "exec", "", "the file is open for writing: close it first"},
    {E2BIG, "exec", "",
     "arguments and environment are too long: 128 KiB for each, and for all a quarter of ulimit "
     "-s"},
    {EACCES, "write", "oom_score_adj", "lowering it needs CAP_SYS_RESOURCE"},

    {ENOSPC, "mkdir", "cgroup", "see cgroup.max.descendants and cgroup.max.depth of the parents"},
    {EROFS, "mkdir", "cgroup", "cgroups are mounted read-only here, use --cgroup-manager disabled"},
    {EACCES, "mkdir", "cgroup", "the parent cgroup is not delegated to this user"},
    {ENOSPC, "write", "tasks", "set cpuset.cpus and cpuset.mems of the parent cgroups first"},

    {ENOENT, "connect", "", "is the program that should listen there running?"},
    {ECONNREFUSED, "connect", "", "nothing listens on this socket any more"},
    {EMFILE, "", "", "too many open files, see ulimit -n"},
    {ENFILE, "", "", "too many open files on this host, see sysctl fs.file-max"},
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
