// SPDX-License-Identifier: Apache-2.0
// Changes to the cgroup of a container that exists: `update`.
#pragma once

#include "base/result.h"
#include "cgroups/driver.h"
#include "plan/cgroup_plan.h"
#include "plan/host_facts.h"
#include "spec/spec.h"

#include <utility>
#include <vector>

namespace onggi::cgroups {

// The group's directories as the planner wants them, in the order of `facts.cgroups`.
Result<std::vector<plan::CgroupDirectory>> directories_of(const Group& group,
                                                          const plan::HostFacts& facts);

// Adds what a field of `resources` is only complete with and what stays as it is: the memory limit
// to a swap limit, the quota to a CPU period. Read from the kernel, so that it is true whoever set
// it.
Result<> complete(spec::Resources& resources,
                  const std::vector<plan::CgroupDirectory>& directories);

// New settings. Destroyed before finish(), they are taken back.
class Change {
 public:
  // After an error the old values are back.
  static Result<Change> begin(const plan::CgroupPlan& plan);
  Change(Change&& other) noexcept
      : plan_(std::exchange(other.plan_, nullptr)), undo_(std::move(other.undo_)) {}
  Change& operator=(Change&&) = delete;
  ~Change();

  // Once more: systemd has meanwhile written what it makes of them (a quota in steps of 10 ms).
  Result<> repeat();
  // The device rules of v2, which are one step for the kernel: nothing can fail after it.
  Result<> finish();

 private:
  explicit Change(const plan::CgroupPlan& plan);

  const plan::CgroupPlan* plan_;  // outlives us; null: nothing is taken back
  std::vector<plan::CgroupSetting> undo_;
};

}  // namespace onggi::cgroups
