// SPDX-License-Identifier: Apache-2.0
// New limits for a container that exists. They are the kernel's and nobody else's: what `create`
// was told stays in the saved configuration.
#include "cgroups/update.h"

#include "base/log.h"
#include "cgroups/probe.h"
#include "linux/probe.h"
#include "linux/unit_call.h"
#include "plan/build_cgroup.h"
#include "runtime/locked_container.h"
#include "spec/validate.h"

namespace onggi {
namespace {

std::optional<plan::SystemdUnit> unit_of(const LockedContainer& container) {
  const std::optional<UnitName>& recorded = container.record.unit;
  if (!recorded) return std::nullopt;
  return plan::SystemdUnit{.name = recorded->name, .user = recorded->user, .properties = {}};
}

}  // namespace

Result<> update_container(const RuntimeOptions& runtime, std::string_view id, spec::Spec& change) {
  const LockedContainer container = TRY(LockedContainer::open(runtime, id));
  if (container.status == Status::stopped || container.status == Status::creating)
    return state_error("container not running");
  if (container.record.cgroup.directories.empty())
    return state_error("the container has no cgroup, so it cannot be limited");
  plan::HostFacts facts;
  TRY(probe_host(facts));
  TRY(cgroups::probe(facts));
  spec::Resources& resources = *change.linux.resources;
  std::vector<plan::CgroupDirectory> directories =
      TRY(cgroups::directories_of(container.record.cgroup, facts));
  TRY(cgroups::complete(resources, directories));
  TRY(spec::validate_resources(change));
  const plan::CgroupPlan plan =
      TRY(plan::build_cgroup_update(resources, facts, std::move(directories), unit_of(container)));
  for (const std::string& warning : plan.warnings) log::warn(warning);
  cgroups::Change changed = TRY(cgroups::Change::begin(plan));
  if (plan.unit && !plan.unit->properties.empty()) {
    // After the files, whose values the kernel has checked: systemd only notes when it refuses one.
    TRY(call_systemd({.command = plan::UnitCommand::set,
                      .user = plan.unit->user,
                      .unit = plan.unit->name,
                      .properties = plan.unit->properties}));
    TRY(changed.repeat());
  }
  return changed.finish();
}

}  // namespace onggi
