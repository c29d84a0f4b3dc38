// SPDX-License-Identifier: Apache-2.0
// A process that comes to a container which is there already: what `create` decides for the
// program, without what it makes for the container.
#include "plan/build_parts.h"
#include "spec/number_list.h"

#include <algorithm>

namespace onggi::plan {
namespace {

// With mounts of its own the container's root is the root of its mount namespace, wherever its
// first process may have gone by now. In a namespace of others that one was only led to its root,
// by chroot(2).
bool has_own_mounts(const spec::Spec& spec) {
  return std::ranges::any_of(spec.linux.namespaces, [](const spec::Namespace& entry) {
    return entry.type == spec::NamespaceType::mount && entry.path.empty();
  });
}

// Empty for an empty list. What may be in one was checked with the process.
std::vector<uint64_t> cpu_mask(spec::Text list) {
  const auto ranges = spec::parse_number_list(list);
  return ranges ? spec::bit_mask(*ranges) : std::vector<uint64_t>();
}

void build_affinity(BuildContext& context) {
  const auto& affinity = context.spec.process->exec_cpu_affinity;
  if (!affinity) return;
  context.plan.initial_cpus = cpu_mask(affinity->initial);
  context.plan.handoff.cpus = context.plan.pool.list(cpu_mask(affinity->final));
}

// Its maps say which ids there are.
void build_user(BuildContext& context) {
  if (context.facts.joined_user) {
    context.plan.namespaces.joined.push_back(
        {spec::NamespaceType::user, "", "linux.namespaces", ""});
  }
  context.plan.handoff.set_groups = may_set_groups(context);
}

}  // namespace

Plan build_exec(const spec::Spec& spec, const HostFacts& facts, const LaunchOptions& options) {
  Plan plan;
  BuildContext context{.spec = spec, .facts = facts, .options = options, .plan = plan};
  plan.ignored = spec.ignored;
  plan.namespaces.bridge = true;
  plan.namespaces.of_container = true;
  plan.namespaces.root_of_container = !has_own_mounts(spec);
  plan.before_pivot.push_back({{"root"}, OpenRootfs{plan.pool.text("/"), false}});
  // /dev/console is the first process's.
  add_console(context, false);
  build_user(context);
  build_scheduling(context);
  build_affinity(context);
  build_handoff(context);
  build_stream_owner(context);
  // A running container's files are its own; only `create` adds to the image.
  refuse_unmapped_ids(context);
  refuse_labels(context);
  return plan;
}

}  // namespace onggi::plan
