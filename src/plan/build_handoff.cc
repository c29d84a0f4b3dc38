// SPDX-License-Identifier: Apache-2.0
// The container's program: argv, environment, ids, capabilities, limits, labels.
#include "plan/build_parts.h"
#include "spec/capabilities.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <map>

namespace onggi::plan {
namespace {

// As a login shell would have it; config.json may leave PATH out.
constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The last of several entries for one variable counts, as in a shell. An empty HOME counts as none.
void add_environment(BuildContext& context, const spec::Process& process) {
  Handoff& handoff = context.plan.handoff;
  Pool& pool = context.plan.pool;
  std::vector<std::string> entries(process.env.begin(), process.env.end());
  if (context.options.listen_fds > 0) {
    entries.push_back("LISTEN_FDS=" + std::to_string(context.options.listen_fds));
    entries.push_back("LISTEN_PID=1");
  }
  if (context.relays_notify()) {
    entries.push_back(
        std::string("NOTIFY_SOCKET=").append(kNotifyDirectory).append("/").append(kNotifyName));
  }
  std::map<std::string_view, size_t> last;
  for (size_t i = 0; i < entries.size(); i++) {
    last[std::string_view(entries[i]).substr(0, entries[i].find('='))] = i;
  }
  std::vector<Text> kept;
  std::string_view path = kDefaultPath;
  handoff.find_home = true;
  for (size_t i = 0; i < entries.size(); i++) {
    const std::string_view entry = entries[i];
    const std::string_view name = entry.substr(0, entry.find('='));
    if (last[name] != i || entry == "HOME=") continue;
    if (name == "HOME") handoff.find_home = false;
    if (name == "PATH") path = entry.substr(std::min(entry.size(), name.size() + 1));
    kept.push_back(pool.text(entry));
  }
  handoff.path = pool.text(path);
  handoff.env = pool.list(kept);
}

// A user namespace starts with all capabilities, over what it owns.
uint64_t grantable_capabilities(const BuildContext& context) {
  const bool user_namespace = std::ranges::any_of(
      context.spec.linux.namespaces,
      [](const spec::Namespace& entry) { return entry.type == spec::NamespaceType::user; });
  return user_namespace ? ~uint64_t{0} : context.facts.capabilities;
}

// The specification wants a warning, not an error, for what cannot be granted
// (config.md#linux-process).
void add_capabilities(BuildContext& context, const spec::Capabilities& wanted) {
  const uint64_t grantable = context.plan.handoff.grantable;
  const uint64_t all =
      wanted.bounding | wanted.effective | wanted.inheritable | wanted.permitted | wanted.ambient;
  for (unsigned capability = 0; capability < 64; capability++) {
    if ((all & ~grantable) >> capability & 1) {
      context.warn("process.capabilities: " + spec::capability_name(capability) +
                   " is not in onggi's own bounding set, ignoring");
    }
  }
  const uint64_t permitted = wanted.permitted & grantable;
  const uint64_t inheritable = wanted.inheritable & grantable;
  if ((wanted.ambient & grantable & ~(permitted & inheritable)) != 0) {
    context.warn(
        "process.capabilities.ambient: ignoring capabilities that are not both permitted and "
        "inheritable");
  }
  context.plan.handoff.capabilities = {.bounding = wanted.bounding & grantable,
                                       .effective = wanted.effective & permitted,
                                       .inheritable = inheritable,
                                       .permitted = permitted,
                                       .ambient = wanted.ambient & permitted & inheritable};
}

void add_limits(BuildContext& context, const spec::Process& process) {
  std::vector<Limit> limits;
  for (const spec::Rlimit& limit : process.rlimits) {
    limits.push_back({.resource = static_cast<uint32_t>(limit.type),
                      .place_index = static_cast<uint32_t>(limits.size()),
                      .soft = limit.soft,
                      .hard = limit.hard});
  }
  context.plan.handoff.limits = context.plan.pool.list(limits);
}

void add_user(BuildContext& context, const spec::User& user) {
  Handoff& handoff = context.plan.handoff;
  handoff.uid = user.uid;
  handoff.gid = user.gid;
  handoff.umask = user.umask.value_or(
      022);  // unset: as runc and crun, though the specification asks for no change
  handoff.additional_gids = context.plan.pool.list(user.additional_gids);
}

uint32_t filter_flags(const spec::Seccomp& seccomp) {
  // Without a list of flags: as runc and crun. Speculation stays as fast as it is outside of the
  // container.
  uint32_t flags = seccomp.flags.value_or(SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  // There is one thread to filter; the other, with a listener, is the one that must not be.
  flags &= ~uint32_t{SECCOMP_FILTER_FLAG_TSYNC};
  if (spec::notifies(seccomp)) return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
  // It says how the program waits for an agent; without one the kernel takes it for a mistake.
  return flags & ~uint32_t{SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
}

}  // namespace

void build_handoff(BuildContext& context) {
  const spec::Spec& spec = context.spec;
  Handoff& handoff = context.plan.handoff;
  Pool& pool = context.plan.pool;
  handoff.has_program = spec.process.has_value();
  if (!context.options.no_new_keyring) handoff.keyring = pool.text("_ses." + context.options.id);
  if (!spec.process) return;
  const spec::Process& process = *spec.process;
  context.plan.oom_score_adj = process.oom_score_adj;
  handoff.args = pool.texts(process.args);
  handoff.cwd = pool.text(process.cwd);
  handoff.terminal = process.terminal;
  handoff.no_new_privileges = process.no_new_privileges;
  handoff.apparmor = pool.text(process.apparmor_profile);
  handoff.selinux = pool.text(process.selinux_label);
  if (spec.linux.personality) handoff.personality = static_cast<int32_t>(*spec.linux.personality);
  add_environment(context, process);
  add_user(context, process.user);
  handoff.grantable = grantable_capabilities(context);
  if (process.capabilities) add_capabilities(context, *process.capabilities);
  add_limits(context, process);
  if (!spec.linux.seccomp) return;
  handoff.seccomp = true;
  handoff.seccomp_flags = filter_flags(*spec.linux.seccomp);
  if (!spec.linux.seccomp->listener_path.empty() && !spec::notifies(*spec.linux.seccomp))
    context.warn(
        "linux.seccomp.listenerPath: no rule has SCMP_ACT_NOTIFY, so the agent is not called");
}

}  // namespace onggi::plan
