// SPDX-License-Identifier: Apache-2.0
// What onggi and onggi-init say to each other: the plan as one read-only mapping, then fixed-size
// packets on a SOCK_SEQPACKET pair. Both programs are always of one build, so there is no version
// in it.
//
//   [ onggi ]                            [ onggi-init ]
//   clone3, id maps, execveat ────────▶  namespaces
//                           ◀ applied ─  (only for a debug log) after each step
//   moves interfaces in     ◀ entered ─  (only with linux.netDevices)
//                           ─ proceed ▶  mounts, devices
//   a short-lived child     ◀ request ─  (only a bind mount whose ids are mapped, or whose source
//   opens and maps it       ─ source ─▶   is out of the reach of init's user namespace)
//   systemd has made the    ◀ unplaced   (only with systemd) the cgroup namespace is next
//   unit; writes settings   ─ proceed ▶
//   prestart and            ◀ mounted ─  (only if there are such hooks)
//   createRuntime hooks     ─ proceed ▶
//   compiles the seccomp program         createContainer hooks, pivot, masks
//                           ◀ ready ───  everything is in place but the program
//   writes state: created
//                           ─ commit ─▶  with the seccomp program; from here on init outlives us
//   `start` connects
//   to start.sock           ─ start ──▶  (`run` says so within commit)
//                           ◀ notify ──  (only where NOTIFY_SOCKET is relayed) with the socket
//                           ◀ listener ─ (only of a filter that notifies; with the descriptor)
//   passes it to the agent  ─ proceed ▶
//                           ◀ executing  nothing but the filter and execve(2) is left to do
//                           ◀ failed ──  or end of file, by close-on-exec: the program runs
//
// `failed` may come instead of any other answer. End of file before `executing` means that init has
// died. End of file before `commit` means that the runtime
// has died, and init with it: nothing would know of the container.
#pragma once

#include "base/error.h"
#include "plan/steps.h"

#include <cstdint>
#include <type_traits>

namespace onggi {

inline constexpr size_t kMaxHierarchies = 20;
inline constexpr size_t kMaxJoins = 8;

// Numbers of descriptors that init inherits; -1 where there is none. Init closes them as it goes.
struct InitFds {
  int32_t channel = -1;
  int32_t start_listener = -1;  // `create` only
  int32_t console = -1;         // connected socket that the pty master is sent to
  int32_t host_proc = -1;       // the host's /proc, O_PATH; not where `exec` has no use for it
  uint32_t tasks_count = 0;
  int32_t tasks[kMaxHierarchies] = {};  // "tasks" of each v1 hierarchy: init writes "0" itself
  int32_t namespaces[kMaxJoins] = {};   // by JoinNamespace::slot
  int32_t empty_mounts = -1;            // mount namespace to begin with instead of the host's
  uint32_t first_private = 3;           // descriptors from here on do not reach the program
};

// Followed by the pool, which starts at the next multiple of 8 (sizeof is one).
struct InitPlan {
  plan::List<plan::Action> before_pivot, after_pivot;
  plan::Handoff handoff;
  InitFds fds;
  uint32_t report_steps = 0;  // for a debug log: an `applied` after each
};
static_assert(std::is_trivially_copyable_v<InitPlan> && sizeof(InitPlan) % 8 == 0);

enum class MessageKind : uint32_t {
  applied,
  entered,
  request,
  source,
  unplaced,
  mounted,
  proceed,
  ready,
  commit,
  start,
  notify,
  listener,
  failed,
  executing
};

struct Message {
  MessageKind kind = MessageKind::failed;
  uint32_t start_now = 0;    // commit: do not wait for `start`
  uint32_t began_empty = 0;  // ready: the mount namespace was not a copy of the host's
  // applied, request, failed: index over before_pivot and after_pivot; -1: not in a step
  int32_t step = -1;
  Error error;  // failed; source: why no descriptor comes with it
};
static_assert(std::is_trivially_copyable_v<Message>);

}  // namespace onggi
