// SPDX-License-Identifier: Apache-2.0
// From a Plan to a running onggi-init, and the conversation with it until the container is created.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/clone.h"
#include "linux/join.h"
#include "linux/mount_sources.h"
#include "linux/seccomp_agent.h"
#include "linux/wire.h"
#include "plan/plan.h"

#include <span>
#include <vector>

namespace onggi {

struct LaunchResources {            // all borrowed
  std::span<const UniqueFd> tasks;  // "tasks" files of the container's v1 cgroups
  int unified_cgroup = -1;          // directory of its v2 cgroup
  int start_listener = -1;
  int console = -1;
  // A mount namespace that init may begin with instead of the host's (empty_mounts.h); -1: none.
  int empty_mounts = -1;
  ProcessHandle first_process;  // of the container to be joined; `exec` only
  uint32_t first_private = 3;   // descriptors from here on are not for the container's program
  int signals = -1;  // of block_signals(): one that would have ended us ends the waits of launch()
};

// A launched init. Until `commit` it dies with this process; destroying it kills it, unless it was
// detached.
class Init {
 public:
  Init(Child child, UniqueFd channel) : child_(std::move(child)), channel_(std::move(channel)) {}
  Init(Init&& other) noexcept = default;
  Init& operator=(Init&&) = delete;
  ~Init();

  void detach() { child_.pidfd.reset(); }

  int pid() const { return child_.pid; }
  int pidfd() const { return child_.pidfd.get(); }
  int channel() const { return channel_.get(); }

  // Waits for `entered` (interfaces are to be moved in; only if there are some), `unplaced` (it has
  // to be in its cgroup now; only with systemd), `mounted` (the hooks of the runtime's side are
  // due; only if there are some) or `ready` (everything is in place but the program). An error
  // names the place in config.json. `signals` is a descriptor of block_signals(): one that would
  // have ended us is an error, too. Meanwhile init's requests for mount sources are answered.
  Result<MessageKind> wait(const plan::Plan& plan, int signals);
  // After any but `ready`: that has been done.
  Result<> proceed();
  // From here on the container lives without us. `seccomp` is a compiled filter, or -1.
  Result<> commit(int seccomp, bool start_now);
  // After commit(start_now), until the program runs: its notify socket, if it has one. `signals` as
  // of wait().
  Result<UniqueFd> wait_started(const plan::Plan& plan, std::optional<SeccompAgent> agent,
                                int signals);

 private:
  Result<std::optional<Message>> receive(const plan::Plan& plan, int signals);

  Child child_;
  UniqueFd channel_;
  MountSources sources_;
};

Result<Init> launch(const plan::Plan& plan, const LaunchResources& resources);

// The error of a `failed` message in words of config.json.
Error explain(const Message& message, const plan::Plan& plan);

}  // namespace onggi
