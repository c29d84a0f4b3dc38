// SPDX-License-Identifier: Apache-2.0
// process.scheduler, process.ioPriority and linux.memoryPolicy as the kernel takes them.
#include "plan/build_parts.h"
#include "spec/number_list.h"

namespace onggi::plan {
namespace {

Scheduler scheduler_of(const spec::Scheduler& wanted) {
  return {.policy = wanted.policy,
          .nice = wanted.nice.value_or(0),
          .priority = static_cast<uint32_t>(wanted.priority.value_or(0)),
          .flags = wanted.flags,
          .runtime = wanted.runtime.value_or(0),
          .deadline = wanted.deadline.value_or(0),
          .period = wanted.period.value_or(0)};
}

}  // namespace

void build_scheduling(BuildContext& context) {
  constexpr int kClassShift = 13;  // IOPRIO_CLASS_SHIFT
  Handoff& handoff = context.plan.handoff;
  if (const auto& policy = context.spec.linux.memory_policy) {
    handoff.memory_policy.mode = policy->mode | static_cast<int32_t>(policy->flags);
    const auto nodes = spec::parse_number_list(policy->nodes);
    if (nodes) handoff.memory_policy.nodes = context.plan.pool.list(spec::bit_mask(*nodes));
  }
  if (!context.spec.process) return;
  const spec::Process& process = *context.spec.process;
  if (process.scheduler) handoff.scheduler = scheduler_of(*process.scheduler);
  if (process.io_priority) {
    handoff.io_priority =
        process.io_priority->io_class << kClassShift | process.io_priority->priority;
  }
}

}  // namespace onggi::plan
