// SPDX-License-Identifier: Apache-2.0
#include "runtime/crowd.h"

#include "linux/empty_mounts.h"

#include <algorithm>

namespace onggi {
namespace {

// Directories in the state root. Far enough from each other that one container that comes and goes
// does not make and remove the namespace again and again.
constexpr uint32_t kCrowd = 64, kFew = 32;

// By its links, of which each subdirectory is one: no list of names is read. A filesystem that does
// not count them so has 1, and no crowd.
uint32_t count_directories(int state_root) {
  struct statx info = {};
  const long result = sys::statx(state_root, "", AT_EMPTY_PATH, STATX_NLINK, &info);
  return result < 0 || info.stx_nlink < 2 ? 0 : info.stx_nlink - 2;
}

bool is_root_of_host(const plan::HostFacts& facts) {
  return facts.euid == 0 && !facts.in_user_namespace;
}

// Hooks that run before the pivot find the host's files in the container's mount namespace
// (config.md#posix-platform-hooks). A slave has all that a copy of the host's mounts has; to make
// them private would also let unbindable ones be bound.
bool needs_host(const plan::Step& step) {
  if (const auto* set = std::get_if<plan::SetRootPropagation>(&step.action))
    return set->propagation.type != MS_SLAVE;
  if (const auto* entered = std::get_if<plan::EnterRootfs>(&step.action))
    return entered->way != plan::EnterRootfs::Way::pivot;
  return std::holds_alternative<plan::AwaitRuntimeHooks>(step.action) ||
         std::holds_alternative<plan::ContainerHooks>(step.action);
}

bool may_begin_empty(const plan::Plan& plan) {
  const plan::NamespacePlan& namespaces = plan.namespaces;
  return (namespaces.create & CLONE_NEWNS) != 0 && (namespaces.create & CLONE_NEWUSER) == 0 &&
         !namespaces.bridge && std::ranges::none_of(plan.before_pivot, needs_host) &&
         std::ranges::none_of(plan.after_pivot, needs_host);
}

}  // namespace

UniqueFd mounts_in_crowd(int state_root, const plan::Plan& plan, const plan::HostFacts& facts) {
  if (!is_root_of_host(facts) || !may_begin_empty(plan) || count_directories(state_root) < kCrowd)
    return UniqueFd();
  return keep_empty_mounts(state_root);
}

void leave_crowd(int state_root) {
  if (count_directories(state_root) < kFew) remove_empty_mounts(state_root);
}

}  // namespace onggi
