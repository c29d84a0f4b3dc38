// SPDX-License-Identifier: Apache-2.0
// Which cgroup, and which controller serves which part of linux.resources. Each part goes to the v1
// hierarchy of its controller if there is one, else to v2 if it has the controller there, so that
// v1, v2 and any mixture are one case.
#include "plan/build_cgroup.h"

#include "base/path.h"
#include "plan/resource_checks.h"
#include "plan/resources_v1.h"
#include "plan/resources_v2.h"
#include "plan/systemd_unit.h"
#include "plan/unit_properties.h"

#include <algorithm>

namespace onggi::plan {
namespace {

constexpr std::string_view kPathPlace = "linux.cgroupsPath";
constexpr std::string_view kNoHierarchyHint =
    "mount cgroups at /sys/fs/cgroup, or use --cgroup-manager disabled to run without limits";

struct ControllerRow {
  std::string_view v1;  // name of the controller in v1
  Translation to_v1;
  std::string_view v2;  // in v2; empty: it has none
  Translation to_v2;
  std::string_view field;  // of linux.resources
};
constexpr ControllerRow kControllers[] = {
    {"memory", v1::memory, "memory", v2::memory, "memory"},
    {"cpu", v1::cpu, "cpu", v2::cpu, "cpu"},
    {"cpuset", add_cpuset, "cpuset", add_cpuset, "cpu"},
    {"pids", add_pids_limit, "pids", add_pids_limit, "pids"},
    {"blkio", v1::blkio, "io", v2::io, "blockIO"},
    {"hugetlb", v1::hugetlb, "hugetlb", v2::hugetlb, "hugepageLimits"},
    {"net_cls", v1::net_cls, "", v2::net_cls, "network"},
    {"net_prio", v1::net_prio, "", v2::net_prio, "network"},
    {"rdma", v1::rdma, "rdma", v2::rdma, "rdma"},
};

bool has(const CgroupHierarchy& hierarchy, std::string_view controller) {
  return std::ranges::find(hierarchy.controllers, controller) != hierarchy.controllers.end();
}

std::optional<uint8_t> find_hierarchy(const HostFacts& facts, bool unified,
                                      std::string_view controller) {
  for (size_t i = 0; i < facts.cgroups.size(); i++) {
    const CgroupHierarchy& hierarchy = facts.cgroups[i];
    if (hierarchy.unified == unified &&
        (has(hierarchy, controller) || (unified && controller == "cgroup"))) {
      return static_cast<uint8_t>(i);
    }
  }
  return std::nullopt;
}

Error missing_controller(std::string_view place, std::string_view controller,
                         const HostFacts& facts) {
  if (facts.cgroup_layout == CgroupLayout::none) {
    return with_hint(unsupported(place, "this host has no cgroups"), kNoHierarchyHint);
  }
  Error error = unsupported(place, "cgroup controller '", controller, "' is not available");
  if (facts.cgroup_layout == CgroupLayout::v2) {
    error.hint.append(
        "/sys/fs/cgroup/cgroup.controllers does not list it: check the kernel configuration and "
        "cgroup_disable= on the kernel command line");
  } else {
    error.hint.append("mount -t cgroup -o ", controller, " cgroup /sys/fs/cgroup/", controller);
  }
  return error;
}

// A v2 controller that has no unified file here: mostly because v1 has it (a hybrid host).
Error missing_unified(std::string_view place, std::string_view controller, const HostFacts& facts) {
  const auto* const row = std::ranges::find(kControllers, controller, &ControllerRow::v2);
  if (row == std::end(kControllers) || !find_hierarchy(facts, false, row->v1))
    return missing_controller(place, controller, facts);
  return with_hint(unsupported(place, "the ", row->v1,
                               " controller is on cgroup v1 here, and unified is for cgroup v2"),
                   text<160>("use linux.resources.", row->field).view());
}

class Builder {
 public:
  Builder(const HostFacts& facts, CgroupPlan& plan) : facts_(facts), plan_(plan) {}

  Result<> add_resources(const spec::Resources& resources) {
    for (const ControllerRow& row : kControllers) TRY(add_controller(row, resources));
    return add_unified(resources);
  }

  // `replace`: the cgroup has rules already; a new one allows what its parent does.
  Result<> add_devices(const DevicePolicy& policy, bool replace) {
    if (policy.allows_everything() && !replace) return {};
    SettingList list;
    if (const auto hierarchy = find_hierarchy(facts_, false, "devices")) {
      list.directory = *hierarchy;
      if (replace && policy.default_allow)
        list.add("linux.resources.devices", "devices.allow", "a");
      TRY(v1::devices(policy, list));
      append(list);
    } else if (find_hierarchy(facts_, true, "cgroup")) {
      plan_.device_program = policy;
    } else {
      return missing_controller("linux.resources.devices", "devices", facts_);
    }
    return {};
  }

 private:
  Result<> add_controller(const ControllerRow& row, const spec::Resources& resources) {
    SettingList list;
    if (const auto hierarchy = find_hierarchy(facts_, false, row.v1)) {
      list.directory = *hierarchy;
      TRY(row.to_v1(resources, list));
    } else if (const auto unified = find_hierarchy(facts_, true, row.v2)) {
      list.directory = *unified;
      TRY(row.to_v2(resources, list));
      if (!list.settings.empty()) require(row.v2, list.settings.front().place);
    } else {
      // Nothing can be set; but whether anything was asked, only the translation knows.
      const bool v2 = facts_.cgroup_layout == CgroupLayout::v2;
      TRY((v2 ? row.to_v2 : row.to_v1)(resources, list));
      if (!list.settings.empty()) {
        return missing_controller(list.settings.front().place, v2 ? row.v2 : row.v1, facts_);
      }
    }
    append(list);
    return {};
  }

  Result<> add_unified(const spec::Resources& resources) {
    if (resources.unified.empty()) return {};
    const auto hierarchy = find_hierarchy(facts_, true, "cgroup");
    if (!hierarchy) {
      return with_hint(
          unsupported("linux.resources.unified", "this host has no cgroup v2 hierarchy"),
          "use the other fields of linux.resources, or boot with "
          "systemd.unified_cgroup_hierarchy=1");
    }
    SettingList list;
    list.directory = *hierarchy;
    TRY(v2::unified(resources, list));
    for (const CgroupSetting& setting : list.settings) {
      const std::string_view controller =
          std::string_view(setting.file).substr(0, setting.file.find('.'));
      if (controller == "cgroup") continue;  // the files of the core, in every cgroup
      if (!has(facts_.cgroups[*hierarchy], controller))
        return missing_unified(setting.place, controller, facts_);
      require(controller, setting.place);
    }
    append(list);
    return {};
  }

  void require(std::string_view controller, const std::string& place) {
    const auto same = [&](const CgroupController& existing) { return existing.name == controller; };
    const auto found = std::ranges::find_if(plan_.controllers, same);
    if (found == plan_.controllers.end()) {
      plan_.controllers.push_back({std::string(controller), place});
    } else if (found->place.empty()) {
      found->place = place;
    }
  }

  void append(SettingList& list) {
    std::ranges::move(list.settings, std::back_inserter(plan_.settings));
    std::ranges::move(list.warnings, std::back_inserter(plan_.warnings));
  }

  const HostFacts& facts_;
  CgroupPlan& plan_;
};

// Relative paths count from the root of the hierarchy too (the specification leaves that to the
// runtime), so that a config means the same cgroup no matter from which cgroup onggi is called.
// ".." never climbs above the mount.
//
// Without a path the cgroup is "/onggi-<id>": directly below the root there is no shared parent
// that the first container would have to make and nobody could remove without a race. Whoever may
// not write there (an ordinary user, root of a user namespace) has at best a subtree that was
// delegated to him, which his own cgroup belongs to. The container's becomes its sibling: as its
// child it would need controllers that a cgroup with processes cannot give.
std::string cgroup_path(const CgroupHierarchy& hierarchy, std::string_view asked,
                        std::string_view id, bool privileged) {
  if (!asked.empty()) return clean_path(join_path("/", asked));
  const std::string name = "onggi-" + std::string(id);
  if (privileged || !hierarchy.unified) return "/" + name;
  const std::string own = clean_path(join_path("/", hierarchy.own_path));
  return own.substr(0, own.rfind('/') + 1) + name;
}

// What the statistics of a container, and a container that has cgroups of its own, can use. Beside
// v1 only what a limit needs: a controller that v2 has taken can no longer be mounted in v1 by
// anybody.
void add_wanted_controllers(const HostFacts& facts, CgroupPlan& plan) {
  if (facts.cgroup_layout != CgroupLayout::v2) return;
  for (const CgroupHierarchy& hierarchy : facts.cgroups) {
    for (const std::string& name : hierarchy.controllers) plan.controllers.push_back({name, ""});
  }
}

// The unit's own hierarchy is systemd's: v2, beside v1 or alone, or the one that is named for it.
bool is_managed(const CgroupHierarchy& hierarchy) {
  return hierarchy.unified || has(hierarchy, "name=systemd");
}

Result<> add_directories(const HostFacts& facts, std::string_view asked, std::string_view id,
                         bool privileged, CgroupPlan& plan) {
  for (const CgroupHierarchy& hierarchy : facts.cgroups) {
    plan.directories.push_back({.mount_point = hierarchy.mount_point,
                                .path = cgroup_path(hierarchy, asked, id, privileged),
                                .unified = hierarchy.unified,
                                .freezer = !hierarchy.unified && has(hierarchy, "freezer"),
                                .cpuset = !hierarchy.unified && has(hierarchy, "cpuset")});
    if (plan.directories.back().path == "/") {
      return config_error(kPathPlace, "'", asked,
                          "' is the root cgroup, which cannot be used for a container");
    }
  }
  return {};
}

// The same path in every hierarchy; systemd joins those that it knows of.
void add_unit_directories(const HostFacts& facts, const std::string& path, CgroupPlan& plan) {
  for (const CgroupHierarchy& hierarchy : facts.cgroups) {
    plan.directories.push_back({.mount_point = hierarchy.mount_point,
                                .path = path,
                                .unified = hierarchy.unified,
                                .freezer = !hierarchy.unified && has(hierarchy, "freezer"),
                                .cpuset = !hierarchy.unified && has(hierarchy, "cpuset"),
                                .managed = is_managed(hierarchy)});
  }
}

std::optional<uint32_t> host_id(const spec::Spec& spec, uint32_t id) {
  const auto& namespaces = spec.linux.namespaces;
  // Whoever names a user namespace by its path may leave its mappings out: the owner is unknown
  // then.
  const bool mapped = std::ranges::any_of(namespaces, [](const spec::Namespace& given) {
    return given.type == spec::NamespaceType::user;
  });
  if (!mapped) return id;
  for (const spec::IdMapping& mapping : spec.linux.uid_mappings) {
    if (id >= mapping.container_id && id - mapping.container_id < mapping.size) {
      return mapping.host_id + (id - mapping.container_id);
    }
  }
  return std::nullopt;
}

Error no_cgroups() {
  return with_hint(unsupported(kPathPlace, "this host has no cgroups"), kNoHierarchyHint);
}

// `policy`: nothing for a manager that may not set device rules. Last, as the properties follow
// from the settings.
Result<> add_unit(const spec::Spec& spec, const HostFacts& facts, std::string_view id,
                  const DevicePolicy* policy, CgroupPlan& plan) {
  const bool user = policy == nullptr;
  const UnitPath path = TRY(parse_unit_path(spec.linux.cgroups_path, id, user));
  if (facts.cgroup_layout == CgroupLayout::none) return no_cgroups();
  const bool unified = facts.cgroup_layout == CgroupLayout::v2;
  if (user && !unified) {
    return unsupported(kPathPlace, "the systemd manager of a user supports only cgroup v2");
  }
  plan.driver = CgroupDriver::systemd;
  add_unit_directories(facts, facts.systemd_cgroup + cgroup_of(path), plan);
  plan.unit.emplace(SystemdUnit{.name = path.unit, .user = user, .properties = {}});
  UnitProperties& properties = plan.unit->properties;
  add_unit_basics(path, id, unified, properties);
  add_unit_limits(plan, properties);
  if (policy != nullptr) add_unit_devices(*policy, properties);
  return add_unit_annotations(spec.annotations, properties);
}

// config-linux.md, "Cgroup ownership": with a cgroup namespace of its own and cgroups mounted
// writable, the container's user is given the directory.
std::optional<uint32_t> cgroup_owner(const spec::Spec& spec) {
  if (!spec.process) return std::nullopt;
  const bool own_namespace =
      std::ranges::any_of(spec.linux.namespaces, [](const spec::Namespace& given) {
        return given.type == spec::NamespaceType::cgroup && given.path.empty();
      });
  const bool writable = std::ranges::any_of(spec.mounts, [](const spec::Mount& mount) {
    return mount.destination == "/sys/fs/cgroup" && mount.source == "cgroup" && mount.type &&
           mount.type->starts_with("cgroup") &&
           std::ranges::find(mount.options, "ro") == mount.options.end();
  });
  if (!own_namespace || !writable) return std::nullopt;
  return host_id(spec, spec.process->user.uid);
}

}  // namespace

Result<CgroupPlan> build_cgroup(const spec::Spec& spec, const HostFacts& facts, std::string_view id,
                                CgroupRequest request) {
  CgroupPlan plan;
  const std::string_view asked = spec.linux.cgroups_path;
  const bool privileged = facts.euid == 0 && !facts.in_user_namespace;
  static const spec::Resources kNothing;
  const spec::Resources& resources = spec.linux.resources ? *spec.linux.resources : kNothing;
  if (request == CgroupRequest::disabled) {
    // The planner sees a host without cgroups: any limit is an error that names it.
    static const HostFacts kNoCgroups;
    TRY(Builder(kNoCgroups, plan).add_resources(resources));
    return plan;
  }

  add_wanted_controllers(facts, plan);
  Builder builder(facts, plan);
  TRY(builder.add_resources(resources));
  const DevicePolicy policy = TRY(build_device_policy(resources.devices));
  // Only the initial user namespace's root may set device rules; others need none, because in a
  // user namespace nobody can make a device node that works.
  if (privileged) TRY(builder.add_devices(policy, false));
  if (request == CgroupRequest::systemd) {
    TRY(add_unit(spec, facts, id, privileged ? &policy : nullptr, plan));
  } else {
    plan.optional = !privileged && plan.settings.empty() && asked.empty();
    if (facts.cgroup_layout == CgroupLayout::none && asked.empty()) return plan;
    if (facts.cgroup_layout == CgroupLayout::none) return no_cgroups();
    plan.driver = CgroupDriver::cgroupfs;
    TRY(add_directories(facts, asked, id, privileged, plan));
  }
  // Not even the v2 hierarchy beside v1: where v1 is in use, its owner must not change.
  if (facts.cgroup_layout == CgroupLayout::v2) plan.owner = cgroup_owner(spec);
  if (plan.owner == facts.euid) plan.owner.reset();  // it will be made by that user
  return plan;
}

Result<CgroupPlan> build_cgroup_update(const spec::Resources& resources, const HostFacts& facts,
                                       std::vector<CgroupDirectory> directories,
                                       std::optional<SystemdUnit> unit) {
  CgroupPlan plan;
  plan.driver = unit ? CgroupDriver::systemd : CgroupDriver::cgroupfs;
  plan.directories = std::move(directories);
  plan.unit = std::move(unit);
  Builder builder(facts, plan);
  TRY(builder.add_resources(resources));
  if (plan.unit) add_unit_limits(plan, plan.unit->properties);
  if (!resources.devices.empty()) {
    const DevicePolicy policy = TRY(build_device_policy(resources.devices));
    TRY(builder.add_devices(policy, true));
    if (plan.unit) add_unit_devices(policy, plan.unit->properties);
  }
  return plan;
}

}  // namespace onggi::plan
