// SPDX-License-Identifier: Apache-2.0
// Copying a process costs page tables, and the first write to each page afterwards; borrowing, as
// vfork(2) does, costs neither. The stack of its own keeps the borrowing child from overwriting the
// frames of its sleeping parent.
#include "linux/clone.h"

namespace onggi {
namespace {

// One at a time: the parent sleeps until the child has let go of it, or waits for it.
alignas(16) char child_stack[64 * 1024];

clone_args arguments_of(const CloneRequest& request, int* pidfd) {
  clone_args arguments = {};
  arguments.flags = uint64_t{request.flags | CLONE_PIDFD};
  arguments.pidfd = reinterpret_cast<uintptr_t>(pidfd);
  // A child for our own parent takes over the signal that we send ourselves (clone(2)).
  arguments.exit_signal = (request.flags & CLONE_PARENT) != 0 ? 0U : unsigned{SIGCHLD};
  if (request.cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<__u64>(request.cgroup);
  }
  return arguments;
}

Result<Child> child_or_error(long pid, int pidfd) {
  // clone(2), EACCES: only with CLONE_INTO_CGROUP. One has to be in the part of the tree that is
  // one's own to put a process into another place of it (cgroup-v2.rst, "Delegation Containment").
  if (pid == -EACCES) {
    return with_hint(system_error(pid, "clone3 into the container's cgroup"),
                     "run onggi in the cgroup subtree that is delegated to you, such as with "
                     "systemd-run --user --scope onggi ...");
  }
  if (pid < 0) return system_error(pid, "clone3");
  return Child{static_cast<int>(pid), UniqueFd(pidfd)};
}

}  // namespace

Result<Child> clone_borrowing(const CloneRequest& request, void (*entry)(void*), void* argument) {
#ifdef __SANITIZE_ADDRESS__
  // It knows of one stack only. The caller sleeps all the same.
  return clone_copying({.flags = request.flags | CLONE_VFORK, .cgroup = request.cgroup}, entry,
                       argument);
#endif
  int pidfd = -1;
  clone_args arguments = arguments_of(request, &pidfd);
  arguments.flags |= CLONE_VM | CLONE_VFORK;
  arguments.stack = reinterpret_cast<uintptr_t>(child_stack);
  arguments.stack_size = sizeof child_stack;
  const long pid = sys::clone3_onto_stack(&arguments, entry, argument);
  return child_or_error(pid, pidfd);
}

Result<Child> clone_sharing(void (*entry)(void*), void* argument) {
#ifdef __SANITIZE_ADDRESS__
  return clone_copying({}, entry, argument);
#endif
  int pidfd = -1;
  clone_args arguments = arguments_of({}, &pidfd);
  arguments.flags |= CLONE_VM;
  arguments.stack = reinterpret_cast<uintptr_t>(child_stack);
  arguments.stack_size = sizeof child_stack;
  const long pid = sys::clone3_onto_stack(&arguments, entry, argument);
  return child_or_error(pid, pidfd);
}

Result<Child> clone_copying(const CloneRequest& request, void (*entry)(void*), void* argument) {
  int pidfd = -1;
  clone_args arguments = arguments_of(request, &pidfd);
  const long pid = sys::call(SYS_clone3, &arguments, sizeof arguments);
  if (pid != 0) return child_or_error(pid, pidfd);
  entry(argument);
  sys::exit_group(1);
}

}  // namespace onggi
