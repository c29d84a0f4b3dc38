// SPDX-License-Identifier: Apache-2.0
// A mount of type "cgroup": one filesystem on a v2 host; on v1 a tmpfs with a directory for each
// hierarchy.
#include "base/path.h"
#include "plan/build_parts.h"

#include <linux/mount.h>
#include <linux/sched.h>

#include <algorithm>
#include <string_view>

namespace onggi::plan {
namespace {

class CgroupMounts {
 public:
  CgroupMounts(BuildContext& context, const spec::MountOptions& options, std::string destination,
               int32_t index)
      : context_(context), options_(options), destination_(std::move(destination)), index_(index) {}

  // In the host's cgroup namespace a fresh mount would set the options of the host's own, which is
  // the same filesystem (apply_cgroup_root_flags() in the kernel's kernel/cgroup/cgroup.c).
  void add_v2(const CgroupHierarchy& hierarchy) {
    if (!context_.creates(CLONE_NEWCGROUP) && !context_.joins(spec::NamespaceType::cgroup))
      return add_bind(hierarchy.mount_point, destination_);
    FilesystemMount step = filesystem("cgroup2", destination_);
    // Refused in a user namespace without a cgroup namespace of its own.
    step.fallback_source = pool().text(context_.creates(CLONE_NEWCGROUP) ? container_path(hierarchy)
                                                                         : hierarchy.mount_point);
    step.attributes = attributes();
    add(step);
  }

  void add_v1() {
    FilesystemMount step = directory();
    step.attributes = attributes() & ~uint64_t{MOUNT_ATTR_RDONLY};
    add(step);
    for (const CgroupHierarchy& hierarchy : context_.facts.cgroups) {
      if (!hierarchy.unified) add_hierarchy(hierarchy);
    }
    if ((attributes() & MOUNT_ATTR_RDONLY) == 0) return;
    const RemountReadonly readonly{pool().text(destination_)};
    if (!stays_uncovered(context_, index_, destination_)) return add(readonly);
    context_.plan.after_pivot.push_back({{"mounts", index_}, readonly});
  }

  // A host without cgroups has none to show.
  void add_empty() {
    FilesystemMount step = directory();
    step.attributes = attributes() | MOUNT_ATTR_RDONLY;
    add(step);
  }

 private:
  FilesystemMount directory() {
    FilesystemMount step = filesystem("tmpfs", destination_);
    std::vector<FilesystemOption> options = {{pool().text("mode"), pool().text("755")}};
    if (const Text label = mount_label(context_))
      options.push_back({pool().text("context"), label});
    step.options = pool().list(options);
    return step;
  }

  Pool& pool() { return context_.plan.pool; }
  uint64_t attributes() const { return options_.attr_set | options_.recursive_set; }
  template <class Record>
  void add(const Record& record) {
    context_.plan.before_pivot.push_back({{"mounts", index_}, record});
  }

  FilesystemMount filesystem(const char* type, const std::string& destination) {
    FilesystemMount step;
    step.type = pool().text(type);
    step.source = pool().text("cgroup");
    step.propagation = propagation_of(options_, pool());
    step.destination = pool().text(destination);
    step.empty_if_missing = context_.plan.cgroup.optional;
    return step;
  }

  // The container's cgroup, as the host sees it.
  std::string container_path(const CgroupHierarchy& hierarchy) const {
    for (const CgroupDirectory& directory : context_.plan.cgroup.directories) {
      if (directory.mount_point == hierarchy.mount_point)
        return hierarchy.mount_point + directory.path;
    }
    return hierarchy.mount_point + hierarchy.own_path;
  }

  void add_bind(const std::string& source, const std::string& destination) {
    BindMount step;
    step.source = pool().text(source);
    step.destination = pool().text(destination);
    step.recursive = true;
    step.empty_if_missing = context_.plan.cgroup.optional;
    step.attributes.recursive_set = attributes();
    step.propagation = propagation_of(options_, pool());
    add(step);
  }

  // In a cgroup namespace a fresh mount shows the container's cgroup as its root; without one, that
  // directory of the host's mount is bound.
  void add_hierarchy(const CgroupHierarchy& hierarchy) {
    const std::string destination = destination_ + "/" + hierarchy.name;
    if (!context_.creates(CLONE_NEWCGROUP)) {
      add_bind(container_path(hierarchy), destination);
    } else {
      std::vector<FilesystemOption> options;
      for (const std::string& controller : hierarchy.controllers) {
        const size_t equals = controller.find('=');
        if (equals == std::string::npos) {
          options.push_back({pool().text(controller), {}});
          continue;
        }
        options.push_back({pool().text("none"), {}});
        options.push_back({pool().text("name"), pool().text(controller.substr(equals + 1))});
      }
      FilesystemMount step = filesystem("cgroup", destination);
      step.options = pool().list(options);
      step.attributes = attributes();
      step.fallback_source = pool().text(container_path(hierarchy));
      add(step);
    }
    if (hierarchy.name.find(',') == std::string::npos) return;
    for (const std::string& controller : hierarchy.controllers) {
      add(MakeLink{pool().text(hierarchy.name), pool().text(destination_ + "/" + controller), {}});
    }
  }

  BuildContext& context_;
  const spec::MountOptions& options_;
  std::string destination_;
  int32_t index_;
};

// cgroups(7), CGROUPS V2 MOUNT OPTIONS: of the one hierarchy of the host, so that a container has
// them as the host does. containerd passes those of its own mount to privileged containers.
constexpr std::string_view kHostOptions[] = {
    "favordynmods", "memory_hugetlb_accounting", "memory_localevents", "memory_recursiveprot",
    "nsdelegate",   "pids_localevents",
};

Result<> check_options(const spec::MountOptions& options, bool unified, const std::string& place) {
  for (const std::string_view option : options.data) {
    const auto* end = std::end(kHostOptions);
    if (unified && std::find(std::begin(kHostOptions), end, option) != end) continue;
    return unsupported(place + ".options", "'", option,
                       "' cannot be set on a cgroup mount: it would change the host's hierarchy");
  }
  return {};
}

}  // namespace

Result<> build_cgroup_mount(BuildContext& context, const spec::Mount& mount,
                            const spec::MountOptions& options, int32_t index) {
  const std::string place = "mounts[" + std::to_string(index) + "]";
  TRY(check_options(options, context.facts.cgroup_layout == CgroupLayout::v2, place));
  build_cgroup_namespace(context);
  CgroupMounts mounts(context, options, clean_path(join_path("/", mount.destination)), index);
  switch (context.facts.cgroup_layout) {
    case CgroupLayout::none:
      if (!context.plan.cgroup.optional)
        return unsupported(place, "this host has no cgroup filesystem at /sys/fs/cgroup");
      mounts.add_empty();
      break;
    case CgroupLayout::v2:
      mounts.add_v2(context.facts.cgroups.front());
      break;
    case CgroupLayout::v1:
    case CgroupLayout::hybrid:
      if (mount.type == "cgroup2") return unsupported(place + ".type", "this host uses cgroup v1");
      mounts.add_v1();
      break;
  }
  return {};
}

}  // namespace onggi::plan
