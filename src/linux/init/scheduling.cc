// SPDX-License-Identifier: Apache-2.0
// CPU affinity, once the cgroups are joined; process.scheduler, process.ioPriority and
// linux.memoryPolicy while the rights to set them are still there.
#include "base/text.h"
#include "linux/init/context.h"

namespace onggi {
namespace {

struct SchedulerAttributes {  // struct sched_attr of sched_setattr(2), first version
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};
static_assert(sizeof(SchedulerAttributes) == 48);

constexpr int32_t kSchedDeadline = 6;  // sched(7)

// Of the process group, which is init's own since its setsid(2): children that the program starts
// belong to it too.
Result<> set_io_priority(int32_t priority) {
  constexpr int kProcessGroup = 2;  // IOPRIO_WHO_PGRP
  if (priority < 0) return {};
  const long set = sys::call(SYS_ioprio_set, kProcessGroup, 0, priority);
  if (set < 0) return at_place(system_error(set, "ioprio_set"), "process.ioPriority");
  return {};
}

Result<> set_memory_policy(const plan::MemoryPolicy& policy, const plan::PoolView& pool) {
  if (policy.mode < 0) return {};
  const auto nodes = pool(policy.nodes);
  // The kernel takes one bit less than it is told (set_mempolicy(2), BUGS).
  const size_t bits = nodes.empty() ? 0 : nodes.size() * 64 + 1;
  const long set =
      sys::call(SYS_set_mempolicy, policy.mode, nodes.empty() ? nullptr : nodes.data(), bits);
  if (set < 0) return at_place(system_error(set, "set_mempolicy"), "linux.memoryPolicy");
  return {};
}

}  // namespace

Result<> set_scheduler(const plan::Scheduler& scheduler, long thread) {
  if (scheduler.policy < 0) return {};
  const SchedulerAttributes attributes{.size = sizeof attributes,
                                       .policy = static_cast<uint32_t>(scheduler.policy),
                                       .flags = scheduler.flags,
                                       .nice = scheduler.nice,
                                       .priority = scheduler.priority,
                                       .runtime = scheduler.runtime,
                                       .deadline = scheduler.deadline,
                                       .period = scheduler.period};
  const long set = sys::call(SYS_sched_setattr, thread, &attributes, 0);
  if (set >= 0) return {};
  // The object tells the hints apart: base/hints.cc.
  const std::string_view object = scheduler.policy == kSchedDeadline ? "SCHED_DEADLINE" : "";
  return at_place(system_error(set, "sched_setattr", object), "process.scheduler");
}

// Without a choice of its own (execCPUAffinity.final): the caller's affinity (taskset(1), a CPU
// manager's choice for the engine) is not the container's; its cpuset decides. The kernel takes the
// part of the mask that it knows and the cpuset allows; 8192 is the most that it can be built for.
Result<> set_affinity(const InitContext& context) {
  const auto cpus = context.pool(context.plan.handoff.cpus);
  if (!cpus.empty()) {
    const long set = sys::call(SYS_sched_setaffinity, 0, cpus.size_bytes(), cpus.data());
    if (set < 0)
      return at_place(system_error(set, "sched_setaffinity"), "process.execCPUAffinity.final");
    return {};
  }
  uint64_t all[8192 / 64];
  for (uint64_t& word : all) word = ~uint64_t{0};
  const long set = sys::call(SYS_sched_setaffinity, 0, sizeof all, &all[0]);
  if (set >= 0 || set == -EINVAL || set == -ENOSYS) return {};
  return at_place(system_error(set, "sched_setaffinity"), "process");
}

Result<> set_scheduling(const InitContext& context) {
  const plan::Handoff& handoff = context.plan.handoff;
  TRY(set_io_priority(handoff.io_priority));
  return set_memory_policy(handoff.memory_policy, context.pool);
}

}  // namespace onggi
