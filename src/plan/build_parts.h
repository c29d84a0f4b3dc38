// SPDX-License-Identifier: Apache-2.0
// The parts of plan::build, one file each. Internal to src/plan.
#pragma once

#include "plan/plan.h"
#include "spec/mount_options.h"

namespace onggi::plan {

struct BuildContext {
  const spec::Spec& spec;
  const HostFacts& facts;
  const LaunchOptions& options;
  Plan& plan;

  bool creates(uint64_t clone_flag) const { return (plan.namespaces.create & clone_flag) != 0; }
  bool joins(spec::NamespaceType type) const;
  // In a user namespace (new, joined, or the runtime's own) some filesystems and devices are out of
  // reach.
  bool in_user_namespace() const {
    return facts.in_user_namespace || creates(kNewUser) || joins(spec::NamespaceType::user);
  }
  // root of the initial user namespace
  bool privileged() const { return facts.euid == 0 && !facts.in_user_namespace; }
  // The caller's NOTIFY_SOCKET has a counterpart in the container.
  bool relays_notify() const { return options.notify && creates(kNewMounts); }
  void warn(std::string text) { plan.warnings.push_back(std::move(text)); }

  bool in_cgroup = false;  // build_cgroup_namespace has been called

  static constexpr uint64_t kNewUser = 0x10000000;    // CLONE_NEWUSER
  static constexpr uint64_t kNewMounts = 0x00020000;  // CLONE_NEWNS
};

// Where the program's NOTIFY_SOCKET is; other runtimes have it there too.
inline constexpr std::string_view kNotifyDirectory = "/run/notify", kNotifyName = "notify.sock";

Result<> build_namespaces(BuildContext& context);
Result<> build_user_namespace(BuildContext& context);  // after build_namespaces
// Where init must be in its cgroup: before a mount that shows it, at the latest before the hooks.
// The later the more it mounts while systemd makes the unit. Only the first call counts.
void build_cgroup_namespace(BuildContext& context);
bool may_set_groups(const BuildContext& context);
Result<> build_rootfs(BuildContext& context);
Result<> build_mounts(BuildContext& context);
Result<> build_cgroup_mount(BuildContext& context, const spec::Mount& mount,
                            const spec::MountOptions& options, int32_t index);
List<Propagation> propagation_of(const spec::MountOptions& options, Pool& pool);
// linux.mountLabel where SELinux is in force, else empty.
Text mount_label(const BuildContext& context);

// Is what mounts[index] puts on `destination` still there when all mounts are made? Only then can
// making it read-only wait for devices and mount points to be made in it.
bool stays_uncovered(const BuildContext& context, int32_t index, std::string_view destination);

bool is_bind(const spec::Mount& mount);
void build_devices(BuildContext& context);
void build_scheduling(BuildContext& context);
void build_net_devices(BuildContext& context);  // after the namespaces are joined
Result<> build_intel_rdt(BuildContext& context);
void build_handoff(BuildContext& context);
void add_console(BuildContext& context, bool bind_dev_console);
void build_hooks(BuildContext& context);  // after build_handoff, whose environment it may use
void collect_refused(BuildContext& context);
void refuse_unmapped_ids(BuildContext& context);
// After build_handoff.
void build_stream_owner(BuildContext& context);
void refuse_to_ordinary_user(BuildContext& context);
void refuse_labels(BuildContext& context);

}  // namespace onggi::plan
