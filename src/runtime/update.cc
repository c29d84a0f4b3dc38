// SPDX-License-Identifier: Apache-2.0
// New limits for a container that exists. They are the kernel's and nobody else's: what `create`
// was told stays in the saved configuration.
#include "cgroups/update.h"

#include "base/log.h"
#include "cgroups/probe.h"
#include "linux/probe.h"
#include "linux/resctrl.h"
#include "linux/unit_call.h"
#include "plan/build_cgroup.h"
#include "plan/build_resctrl.h"
#include "runtime/container_hooks.h"
#include "runtime/locked_container.h"
#include "spec/validate.h"

namespace onggi {
namespace {

std::optional<plan::SystemdUnit> unit_of(const LockedContainer& container) {
  const std::optional<UnitName>& recorded = container.record.unit;
  if (!recorded) return std::nullopt;
  return plan::SystemdUnit{.name = recorded->name, .user = recorded->user, .properties = {}};
}

Result<plan::ResctrlPlan> plan_class(const LockedContainer& container, const spec::IntelRdt& change,
                                     plan::HostFacts& facts) {
  TRY(probe_resctrl(facts));
  const spec::Spec made_with = TRY(saved_spec(container.directory));
  return plan::build_resctrl_update(change, made_with.linux.intel_rdt, container.record.id, facts);
}

Result<plan::CgroupPlan> plan_cgroup(const LockedContainer& container, spec::Spec& change,
                                     plan::HostFacts& facts) {
  if (container.record.cgroup.directories.empty())
    return state_error("the container has no cgroup: its limits cannot be changed");
  TRY(cgroups::probe(facts));
  spec::Resources& resources = *change.linux.resources;
  std::vector<plan::CgroupDirectory> directories =
      TRY(cgroups::directories_of(container.record.cgroup, facts));
  TRY(cgroups::complete(resources, directories));
  TRY(spec::validate_resources(change));
  return plan::build_cgroup_update(resources, facts, std::move(directories), unit_of(container));
}

}  // namespace

Result<> update_container(const RuntimeOptions& runtime, std::string_view id, spec::Spec& change) {
  for (const std::string& warning : change.ignored) log::warn(warning);
  const LockedContainer container = TRY(LockedContainer::open(runtime, id));
  if (container.status == Status::stopped || container.status == Status::creating)
    return state_error("container not running");
  plan::HostFacts facts;
  TRY(probe_host(facts));
  std::optional<plan::ResctrlPlan> service;
  if (change.linux.intel_rdt) service = TRY(plan_class(container, *change.linux.intel_rdt, facts));
  if (!change.linux.resources) return resctrl::write_schemata(service.value());
  const plan::CgroupPlan plan = TRY(plan_cgroup(container, change, facts));
  for (const std::string& warning : plan.warnings) log::warn(warning);
  cgroups::Change changed = TRY(cgroups::Change::begin(plan));
  if (service) TRY(resctrl::write_schemata(*service));
  if (plan.unit && !plan.unit->properties.empty()) {
    // After the files, whose values the kernel has checked: systemd only notes when it refuses one.
    TRY(call_systemd({.command = plan::UnitCommand::set,
                      .user = plan.unit->user,
                      .unit = plan.unit->name,
                      .properties = plan.unit->properties},
                     -1));
    TRY(changed.repeat());
  }
  return changed.finish();
}

}  // namespace onggi
