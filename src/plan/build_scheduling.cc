// SPDX-License-Identifier: Apache-2.0
// process.scheduler, process.ioPriority and linux.memoryPolicy as the kernel takes them.
#include "plan/build_parts.h"

namespace onggi::plan {
namespace {

constexpr uint64_t kMaxNode =
    4096;  // above what any kernel is built for (NODES_SHIFT is at most 10)

// "0-3,7" as a bit mask.
Result<std::vector<uint64_t>> node_mask(std::string_view list, std::string_view place) {
  std::vector<uint64_t> mask;
  while (!list.empty()) {
    const std::string_view range = list.substr(0, list.find(','));
    list.remove_prefix(std::min(range.size() + 1, list.size()));
    const size_t dash = range.find('-');
    const auto first = parse_decimal<uint64_t>(range.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_decimal<uint64_t>(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last > kMaxNode) {
      return config_error(place, "'", range, "' is not a range of memory nodes");
    }
    mask.resize(std::max<size_t>(mask.size(), *last / 64 + 1));
    for (uint64_t node = *first; node <= *last; node++)
      mask[node / 64] |= uint64_t{1} << (node % 64);
  }
  return mask;
}

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

Result<> build_scheduling(BuildContext& context) {
  constexpr int kClassShift = 13;  // IOPRIO_CLASS_SHIFT
  Handoff& handoff = context.plan.handoff;
  if (const auto& policy = context.spec.linux.memory_policy) {
    handoff.memory_policy.mode = policy->mode | static_cast<int32_t>(policy->flags);
    const std::vector<uint64_t> nodes = TRY(node_mask(policy->nodes, "linux.memoryPolicy.nodes"));
    handoff.memory_policy.nodes = context.plan.pool.list(nodes);
  }
  if (!context.spec.process) return {};
  const spec::Process& process = *context.spec.process;
  if (process.scheduler) handoff.scheduler = scheduler_of(*process.scheduler);
  if (process.io_priority) {
    handoff.io_priority =
        process.io_priority->io_class << kClassShift | process.io_priority->priority;
  }
  return {};
}

}  // namespace onggi::plan
