// SPDX-License-Identifier: Apache-2.0
// The order in which a root filesystem comes to be: propagation, the root itself, mounts as listed,
// devices, the terminal; then the pivot, and what would have stood in the way before it.
#include "base/path.h"
#include "plan/build_parts.h"

#include <linux/mount.h>
#include <linux/sched.h>

#include <set>

namespace onggi::plan {
namespace {

// Without a mount namespace every mount would be one of the host's.
Result<> check_without_mount_namespace(const spec::Spec& spec) {
  const spec::Linux& linux = spec.linux;
  const auto needs = [](bool used, const char* place) -> Result<> {
    if (!used) return {};
    return with_hint(config_error(place, "requires a mount namespace"),
                     "add {\"type\": \"mount\"} to linux.namespaces");
  };
  TRY(needs(!spec.mounts.empty(), "mounts"));
  TRY(needs(spec.root->readonly, "root.readonly"));
  TRY(needs(!linux.masked_paths.empty(), "linux.maskedPaths"));
  TRY(needs(!linux.readonly_paths.empty(), "linux.readonlyPaths"));
  TRY(needs(!linux.devices.empty(), "linux.devices"));
  TRY(needs(linux.rootfs_propagation != spec::RootfsPropagation::unset, "linux.rootfsPropagation"));
  return needs(spec.process && spec.process->terminal, "process.terminal");
}

// config-linux.md#rootfs-mount-propagation: `shared` means a peer group of the container's own, so
// the tree never shares with the host; a slave still receives what is mounted there.
Propagation tree_propagation(spec::RootfsPropagation wanted) {
  const bool isolated =
      wanted == spec::RootfsPropagation::private_ || wanted == spec::RootfsPropagation::unbindable;
  return {isolated ? uint32_t{MS_PRIVATE} : uint32_t{MS_SLAVE}, 1};
}

void add_root_propagation(BuildContext& context) {
  uint32_t type = 0;
  if (context.spec.linux.rootfs_propagation == spec::RootfsPropagation::shared) type = MS_SHARED;
  if (context.spec.linux.rootfs_propagation == spec::RootfsPropagation::unbindable)
    type = MS_UNBINDABLE;
  if (type == 0) return;
  context.plan.after_pivot.push_back({{"linux.rootfsPropagation"}, RootPropagation{{type, 0}}});
}

bool binds_dev(const spec::Spec& spec) {
  for (const spec::Mount& mount : spec.mounts) {
    if (is_bind(mount) && clean_path(join_path("/", mount.destination)) == "/dev") return true;
  }
  return false;
}

template <class Record>
void add_paths(BuildContext& context, const spec::TextList& paths, const char* field) {
  std::set<std::string> seen;
  for (size_t i = 0; i < paths.size(); i++) {
    const std::string path = clean_path(paths[i]);
    if (!seen.insert(path).second) continue;
    Record record;
    record.path = context.plan.pool.text(path);
    if constexpr (requires { record.label; }) record.label = mount_label(context);
    context.plan.after_pivot.push_back({{field, static_cast<int32_t>(i)}, record});
  }
}

// Before the mounts, masks and the root that are made read-only at the end.
void add_cwd(BuildContext& context) {
  const auto& process = context.spec.process;
  if (!process || process->cwd == "/") return;
  context.plan.after_pivot.push_back(
      {{"process.cwd"}, MakeCwd{context.plan.pool.text(process->cwd)}});
}

EnterRootfs::Way way_into(const BuildContext& context) {
  if (!context.creates(CLONE_NEWNS)) return EnterRootfs::Way::chroot;
  return context.options.no_pivot ? EnterRootfs::Way::move : EnterRootfs::Way::pivot;
}

}  // namespace

void add_console(BuildContext& context, bool bind_dev_console) {
  const auto& process = context.spec.process;
  if (!process || !process->terminal) return;
  OpenConsole console;
  if (process->console_size) {
    console.rows = static_cast<uint16_t>(process->console_size->height);
    console.columns = static_cast<uint16_t>(process->console_size->width);
  }
  console.bind_dev_console = bind_dev_console;
  context.plan.before_pivot.push_back({{"process.terminal"}, console});
}

// After the mounts, which it may lie on.
void add_notify_socket(BuildContext& context) {
  if (!context.options.notify) return;
  if (!context.relays_notify()) {
    context.warn("NOTIFY_SOCKET: ignoring, since the container has no mount namespace of its own");
    return;
  }
  Pool& pool = context.plan.pool;
  context.plan.before_pivot.push_back(
      {{"NOTIFY_SOCKET"}, OpenNotifySocket{pool.text(kNotifyDirectory), pool.text(kNotifyName)}});
}

Result<> build_rootfs(BuildContext& context) {
  const spec::Spec& spec = context.spec;
  const bool new_mounts = context.creates(CLONE_NEWNS);
  const bool own_mounts = new_mounts || context.joins(spec::NamespaceType::mount);
  if (!own_mounts) TRY(check_without_mount_namespace(spec));

  std::vector<Step>& before = context.plan.before_pivot;
  std::vector<Step>& after = context.plan.after_pivot;
  Pool& pool = context.plan.pool;
  if (new_mounts) {
    before.push_back({{"linux.rootfsPropagation"},
                      SetRootPropagation{tree_propagation(spec.linux.rootfs_propagation)}});
  }
  const std::string root = join_path(context.options.bundle, spec.root->path);
  // In a namespace that others use, only what has to be a mount of its own becomes one.
  const bool as_mount = new_mounts || (own_mounts && spec.root->readonly);
  before.push_back({{"root.path"}, OpenRootfs{pool.text(root), as_mount}});
  // First in its list, so that what the mounts postpone comes after it.
  after.push_back({{"root"}, EnterRootfs{way_into(context)}});
  if (new_mounts) add_root_propagation(context);
  add_cwd(context);
  TRY(build_mounts(context));
  if (own_mounts && !binds_dev(spec)) build_devices(context);
  add_console(context, !binds_dev(spec));
  add_notify_socket(context);
  add_paths<ReadonlyPath>(context, spec.linux.readonly_paths, "linux.readonlyPaths");
  add_paths<MaskPath>(context, spec.linux.masked_paths, "linux.maskedPaths");
  if (spec.root->readonly) after.push_back({{"root.readonly"}, ReadonlyRootfs{}});
  return {};
}

}  // namespace onggi::plan
