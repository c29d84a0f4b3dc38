// SPDX-License-Identifier: Apache-2.0
// What the appliers share, and their declarations: one overload for each record of plan/steps.h.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "linux/init/rootfs.h"
#include "linux/wire.h"

#include <cstring>

namespace onggi {

// Where the container's mount namespace did not begin as a copy of the host's (host_mounts.h).
struct HostMounts {
  UniqueFd host, own;             // the two mount namespaces
  UniqueFd root;                  // what lies below the container's root filesystem
  plan::Propagation propagation;  // which the host's mounts have in the container
};

// Where check_program() expects process.args[0].
struct ProgramPlace {
  size_t offset = 0;  // of the first item of PATH that may have it
  bool seen = false;  // it is there
};

struct InitContext {
  // `init_plan` is followed by its pool.
  explicit InitContext(const InitPlan& init_plan)
      : plan(init_plan),
        pool(reinterpret_cast<const char*>(&init_plan + 1)),
        channel(init_plan.fds.channel) {}

  const InitPlan& plan;
  plan::PoolView pool;
  int channel;    // to the runtime (later: to `start`), borrowed
  int step = -1;  // being applied; counts on over both lists, and the runtime knows which place of
                  // config.json it stands for. -1: none
  RootDir root;
  std::string_view existing;  // a path in it that was found last

  // The host's /proc, verified, and its mounts; closed before the root changes.
  UniqueFd host_proc;
  HostMounts host;
  bool began_empty = false;  // else the host's mounts were to be had without that
  // Files of this process on the host's /proc, opened before the pivot.
  UniqueFd apparmor, selinux, selinux_keys;
  // The container's /dev/null, verified to be the null device.
  UniqueFd dev_null;
  // The one empty, read-only tmpfs that is bound over every masked directory.
  UniqueFd masked_directory;
  UniqueFd notify;  // bound where the program finds it, read by the runtime

  FixedText<1040> home;      // "HOME=/root" for the environment, or empty
  bool entered_cwd = false;  // else only the program's own user may
  ProgramPlace program;
};

Result<> apply(const plan::JoinNamespace& step, InitContext& context);
Result<> apply(const plan::UnshareNamespaces& step, InitContext& context);
Result<> apply(const plan::SetHostname& step, InitContext& context);
Result<> apply(const plan::SetDomainname& step, InitContext& context);
Result<> apply(const plan::BringUpLoopback& step, InitContext& context);
Result<> apply(const plan::AwaitNetDevices& step, InitContext& context);
Result<> apply(const plan::WriteProc& step, InitContext& context);
Result<> apply(const plan::SetRootPropagation& step, InitContext& context);
Result<> apply(const plan::OpenRootfs& step, InitContext& context);
Result<> apply(const plan::BindMount& step, InitContext& context);
Result<> apply(const plan::FilesystemMount& step, InitContext& context);
Result<> apply(const plan::Remount& step, InitContext& context);
Result<> apply(const plan::MakeDevice& step, InitContext& context);
Result<> apply(const plan::MakeLink& step, InitContext& context);
Result<> apply(const plan::OpenConsole& step, InitContext& context);
Result<> apply(const plan::OpenNotifySocket& step, InitContext& context);
Result<> apply(const plan::AwaitCgroup& step, InitContext& context);
Result<> apply(const plan::AwaitRuntimeHooks& step, InitContext& context);
Result<> apply(const plan::ContainerHooks& step, InitContext& context);
Result<> apply(const plan::EnterRootfs& step, InitContext& context);
Result<> apply(const plan::RootPropagation& step, InitContext& context);
Result<> apply(const plan::MakeCwd& step, InitContext& context);
Result<> apply(const plan::RemountReadonly& step, InitContext& context);
Result<> apply(const plan::ReadonlyPath& step, InitContext& context);
Result<> apply(const plan::MaskPath& step, InitContext& context);
Result<> apply(const plan::ReadonlyRootfs& step, InitContext& context);

// namespaces.cc: the v1 groups, by descriptors that the runtime opened.
Result<> join_cgroups(InitContext& context);
// streams.cc
Result<> reopen_null_streams(InitContext& context);
// labels.cc: of the program, and of the keyring that is made for it.
Result<> open_labels(InitContext& context);
Result<> write_labels(InitContext& context);
// program.cc: where args[0] is, as execvp(3) would find it. Before `ready`, so that `create` can
// say so.
Result<> check_program(InitContext& context);
// handoff.cc: ends in the container's program, or returns why not, as long as there is no filter
// yet that could forbid to say so. `seccomp` is the compiled filter, if there is one.
Result<> run_program(InitContext& context, UniqueFd seccomp);
// scheduling.cc: process.execCPUAffinity.final, or else all CPUs that the cpuset allows;
// process.scheduler for a thread (0: this one), then the rest for this process.
Result<> set_affinity(const InitContext& context);
Result<> set_scheduler(const plan::Scheduler& scheduler, long thread);
Result<> set_scheduling(const InitContext& context);
// credentials.cc
Result<> set_limits(const InitContext& context);
// Of this thread. `kept` are capabilities above those of the program, until it is executed.
Result<> set_credentials(const InitContext& context, uint64_t kept);
Result<> set_capabilities(const plan::CapabilityMasks& masks);

// copy_up.cc: the contents of a directory into the detached mount that is going to cover it.
Result<> copy_up(int covered, int mount);
// masked_paths.cc: an empty, read-only directory on top of `target`.
Result<> cover_directory(InitContext& context, const MountPoint& target, const char* path);
// mounts.cc: a detached mount onto a target inside the root.
Result<> attach(InitContext& context, int mount, int target, const char* destination);
Result<> attach(InitContext& context, int mount, const MountPoint& target, const char* destination);

}  // namespace onggi
