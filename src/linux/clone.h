// SPDX-License-Identifier: Apache-2.0
// clone3(2), in the shapes that the launch needs.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <csignal>

namespace onggi {

struct Child {
  int pid = 0;
  UniqueFd pidfd;
};

struct CloneRequest {
  uint64_t flags = 0;  // CLONE_NEW*, CLONE_PARENT
  int cgroup = -1;     // directory of a v2 cgroup to be born in
};

// Runs `entry(argument)` in a child that borrows this process's memory until it executes another
// program, on a stack of its own; the caller sleeps meanwhile. `entry` must not return, allocate or
// touch a lock.
Result<Child> clone_borrowing(const CloneRequest& request, void (*entry)(void*), void* argument);

// The same, but the caller goes on meanwhile: to wait for the child with an end to its patience. It
// must not clone another one before this one has ended or been killed, and keeps what `argument`
// points to.
Result<Child> clone_sharing(void (*entry)(void*), void* argument);

// The same in a child with a copy of the memory, for what has to wait for its parent.
Result<Child> clone_copying(const CloneRequest& request, void (*entry)(void*), void* argument);

}  // namespace onggi
