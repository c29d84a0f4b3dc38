// SPDX-License-Identifier: Apache-2.0
// The child between clone3(2) and execveat(2) runs on borrowed memory: its functions take pointers
// to what the parent prepared, and use raw system calls only.
#include "linux/launch.h"

#include "base/file.h"
#include "base/log.h"
#include "base/memory_reserve.h"
#include "base/streams.h"
#include "linux/id_mappings.h"
#include "linux/join.h"
#include "linux/process_status.h"
#include "linux/sealed_init.h"
#include "linux/socket_message.h"
#include "linux/waiting.h"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>

#include <algorithm>
#include <cstring>

namespace onggi {
namespace {

struct Descriptors {
  UniqueFd init, plan;
  UniqueFd channel, init_channel;
  UniqueFd go, init_go;  // the child waits until its id maps are written
  std::vector<UniqueFd> namespaces;
  UniqueFd host_proc;
  JoinedContainer container;
};

// What the child needs, on the parent's stack.
struct ChildEntry {
  const plan::Plan* plan;
  const LaunchResources* resources;
  const Descriptors* fds;
  const char* plan_number;
  uint64_t create;  // CLONE_NEW* of the last clone
  int bridge_socket = -1;
};

[[noreturn]] void fail(const ChildEntry& entry, const Error& error) {
  (void)send_failure(entry.fds->init_channel.get(), error);
  sys::exit_group(1);
}

// Only what init is meant to have survives the execve, not what our caller left open in us.
void keep_for_init(const ChildEntry& entry) {
  (void)sys::close_range(entry.resources->first_private, ~0U, CLOSE_RANGE_CLOEXEC);
  const auto keep = [](int fd) {
    if (fd >= 0) (void)sys::fcntl(fd, F_SETFD, 0);
  };
  keep(entry.fds->plan.get());
  keep(entry.fds->init_channel.get());
  keep(entry.resources->start_listener);
  keep(entry.resources->console);
  keep(entry.resources->empty_mounts);
  keep(entry.fds->host_proc.get());
  for (const UniqueFd& tasks : entry.resources->tasks) keep(tasks.get());
  for (const UniqueFd& joined : entry.fds->namespaces) keep(joined.get());
}

// Who executes a file that he may not read is not dumpable from his first instruction on
// (execve(2), ptrace(2)); root may read everything, unless by these two. As root he has them again
// afterwards.
void give_up_reading() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (sys::call(SYS_capget, &header, &data[0]) < 0) return;
  data[0].effective &= ~(1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH);
  (void)sys::call(SYS_capset, &header, &data[0]);
}

[[noreturn]] void execute_init(void* argument) {
  const auto& entry = *static_cast<const ChildEntry*>(argument);
  keep_for_init(entry);
  give_up_reading();
  char name[] = "onggi-init";
  char* const argv[] = {name, const_cast<char*>(entry.plan_number), nullptr};
  char* const envp[] = {nullptr};
  const long failed = sys::execveat(entry.fds->init.get(), "", argv, envp, AT_EMPTY_PATH);
  fail(entry, system_error(failed, "execveat", "onggi-init"));
}

void enter_borrowing(void* argument) {
  execute_init(argument);
}

// In a new user namespace ids are unmapped at first, and an execve would take the capabilities
// away.
void enter_user_namespace(void* argument) {
  const auto& entry = *static_cast<const ChildEntry*>(argument);
  (void)sys::close(entry.fds->go.get());
  (void)sys::close(entry.fds->channel.get());
  char byte;
  if (sys::read(entry.fds->init_go.get(), &byte, 1) != 1)
    sys::exit_group(1);  // our parent has died
  if (Result<> became = become_root(entry.plan->handoff.set_groups); !became)
    fail(entry, became.error());
  execute_init(argument);
}

// `process` is a number or "self".
template <class Process>
Result<> set_oom_score(const plan::Plan& plan, Process process) {
  if (!plan.oom_score_adj) return {};
  const auto path = text<64>("/proc/", process, "/oom_score_adj");
  const auto value = text<16>(*plan.oom_score_adj);
  TRY_AT("process.oomScoreAdj", write_existing(AT_FDCWD, std::string(path.view()), value.view()));
  return {};
}

// Joins what has to be joined before init exists, makes init for our parent and goes away.
void enter_bridge(void* argument) {
  auto entry = *static_cast<const ChildEntry*>(argument);
  (void)sys::close(entry.fds->channel.get());
  const plan::NamespacePlan& namespaces = entry.plan->namespaces;
  // Before the join: afterwards this process is not dumpable, and root owns its oom_score_adj. Init
  // inherits the value.
  Result<> joined = set_oom_score(*entry.plan, "self");
  if (joined) {
    joined = namespaces.of_container ? join_container(entry.fds->container)
                                     : join_namespaces(namespaces, entry.fds->namespaces);
  }
  if (!joined) fail(entry, joined.error());
  const bool new_user = (entry.create & CLONE_NEWUSER) != 0;
  const CloneRequest request{.flags = entry.create | CLONE_PARENT, .cgroup = -1};
  // Not borrowing: init may have to wait for its id maps, which our parent writes once it knows the
  // pid.
  Result<Child> init =
      clone_copying(request, new_user ? enter_user_namespace : enter_borrowing, &entry);
  if (!init) fail(entry, at_place(init.error(), "linux.namespaces"));
  (void)send_with_fd(entry.bridge_socket, &init->pid, sizeof init->pid, init->pidfd.get());
  sys::exit_group(0);
}

Result<std::string> encode(const plan::Plan& plan, const LaunchResources& resources,
                           const Descriptors& fds) {
  plan::Pool pool = plan.pool;
  InitPlan header;
  const auto actions = [&pool](const std::vector<plan::Step>& steps) {
    std::vector<plan::Action> list;
    list.reserve(steps.size());
    for (const plan::Step& step : steps) list.push_back(step.action);
    return pool.list(list);
  };
  header.before_pivot = actions(plan.before_pivot);
  header.after_pivot = actions(plan.after_pivot);
  header.handoff = plan.handoff;
  header.fds.channel = fds.init_channel.get();
  header.fds.start_listener = resources.start_listener;
  header.fds.console = resources.console;
  header.fds.empty_mounts = resources.empty_mounts;
  header.fds.host_proc = fds.host_proc ? fds.host_proc.get() : -1;
  header.fds.first_private = resources.first_private;
  header.report_steps = log::shows_debug() ? 1 : 0;
  if (resources.tasks.size() > kMaxHierarchies || fds.namespaces.size() > kMaxJoins) {
    return make_error(ErrorKind::unsupported, "more than ", kMaxHierarchies, " cgroup hierarchies");
  }
  for (const UniqueFd& tasks : resources.tasks)
    header.fds.tasks[header.fds.tasks_count++] = tasks.get();
  for (size_t i = 0; i < fds.namespaces.size(); i++)
    header.fds.namespaces[i] = fds.namespaces[i].get();
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  return bytes.append(pool.bytes());
}

// Beside the processes of a container a way to the host is only taken along for the labels, which
// init has to write itself.
bool needs_host_proc(const plan::Plan& plan) {
  return !plan.namespaces.of_container || plan.handoff.apparmor || plan.handoff.selinux;
}

Result<> set_initial_affinity(const std::vector<uint64_t>& cpus) {
  if (cpus.empty()) return {};
  const long set = sys::call(SYS_sched_setaffinity, 0, cpus.size() * sizeof cpus[0], cpus.data());
  if (set < 0)
    return at_place(system_error(set, "sched_setaffinity"), "process.execCPUAffinity.initial");
  return {};
}

Result<Descriptors> open_descriptors(const plan::Plan& plan, const LaunchResources& resources) {
  Descriptors fds;
  SocketPair channel = TRY(make_socket_pair(SOCK_SEQPACKET));
  fds.channel = std::move(channel.first);
  fds.init_channel = std::move(channel.second);
  if (plan.namespaces.of_container) {
    fds.container = TRY(open_container(plan.namespaces, resources.first_process));
  } else {
    fds.namespaces = TRY(open_namespaces(plan.namespaces));
  }
  if (needs_host_proc(plan)) {
    const long opened = sys::openat(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (opened < 0) return system_error(opened, "open", "/proc");
    fds.host_proc.reset(static_cast<int>(opened));
  }
  const std::string bytes = TRY(encode(plan, resources, fds));
  fds.plan = TRY(make_sealed_memfd("onggi-plan", bytes, false));
  fds.init = TRY(open_sealed_init());
  if ((plan.namespaces.create & CLONE_NEWUSER) != 0) {
    int pair[2];
    const long piped = sys::call(SYS_pipe2, &pair[0], O_CLOEXEC);
    if (piped < 0) return system_error(piped, "pipe");
    fds.init_go.reset(pair[0]);
    fds.go.reset(pair[1]);
  }
  return fds;
}

// The bridge's answer: init's pid and pidfd. If it failed, the reason is on the channel. An init
// whose bridge could not tell of it any more ends with the channel.
Result<Child> receive_bridged(int socket, int channel, const Child& bridge,
                              const ChildEntry& entry) {
  const Waiting waiting{.process = bridge.pidfd.get(), .signals = entry.resources->signals};
  if (TRY(wait_readable(socket, waiting)) == Waited::ready) {
    int pid = 0;
    Packet answer = TRY(receive_packet(socket, &pid, sizeof pid));
    if (answer.size == sizeof pid && answer.fd) return Child{pid, std::move(answer.fd)};
  }
  if (TRY(wait_readable(channel, {.milliseconds = 0})) == Waited::ready) {
    const std::optional<Received> failed = TRY(receive_message(channel));
    if (failed && failed->message.kind == MessageKind::failed)
      return explain(failed->message, *entry.plan);
  }
  return make_error(ErrorKind::system, "the process that joins the namespaces died");
}

Result<Child> clone_through_bridge(ChildEntry& entry, Descriptors& fds, int cgroup) {
  SocketPair sockets = TRY(make_socket_pair(SOCK_SEQPACKET));
  entry.bridge_socket = sockets.second.get();
  const Child bridge = TRY(clone_copying({.flags = 0, .cgroup = cgroup}, enter_bridge, &entry));
  // The ends of others, or we would not see them closed.
  sockets.second.reset();
  fds.init_channel.reset();
  Result<Child> init = receive_bridged(sockets.first.get(), fds.channel.get(), bridge, entry);
  // It has nothing more to do, and may be frozen or stopped.
  (void)sys::pidfd_send_signal(bridge.pidfd.get(), SIGKILL);
  int status;
  (void)sys::waitpid(bridge.pid, status);
  return init;
}

Result<Child> clone_init(ChildEntry& entry, Descriptors& fds) {
  const plan::NamespacePlan& namespaces = entry.plan->namespaces;
  const int cgroup = entry.resources->unified_cgroup;
  if (namespaces.bridge) return clone_through_bridge(entry, fds, cgroup);
  const CloneRequest request{.flags = entry.create, .cgroup = cgroup};
  const bool new_user = (entry.create & CLONE_NEWUSER) != 0;
  Result<Child> child = new_user ? clone_copying(request, enter_user_namespace, &entry)
                                 : clone_borrowing(request, enter_borrowing, &entry);
  if (!child) return at_place(child.error(), "linux.namespaces");
  return child;
}

// A user namespace may lower limits but not raise them, so what is to be raised is raised from
// here, before.
Result<> raise_hard_limits(const plan::Plan& plan, int pid) {
  const auto is_user = [](const plan::JoinedNamespace& joined) {
    return joined.type == spec::NamespaceType::user;
  };
  if ((plan.namespaces.create & CLONE_NEWUSER) == 0 &&
      !std::ranges::any_of(plan.namespaces.joined, is_user)) {
    return {};
  }
  const plan::PoolView pool = plan.pool.view();
  for (const plan::Limit& limit : pool(plan.handoff.limits)) {
    uint64_t current[2] = {};
    const auto place = text<64>("process.rlimits[", limit.place_index, "]");
    const auto resource = static_cast<int>(limit.resource);
    const long read = sys::prlimit64(pid, resource, nullptr, current);
    if (read < 0) return at_place(system_error(read, "prlimit"), place.view());
    if (limit.hard <= current[1]) continue;
    current[1] = limit.hard;
    const long raised = sys::prlimit64(pid, resource, current, nullptr);
    if (raised < 0) return at_place(system_error(raised, "prlimit"), place.view());
  }
  return {};
}

}  // namespace

Result<Init> launch(const plan::Plan& plan, const LaunchResources& resources) {
  Descriptors fds = TRY(open_descriptors(plan, resources));
  // Of this process, which the child takes it from: it is born in its cgroup.
  TRY(set_initial_affinity(plan.initial_cpus));
  const auto plan_number = text<12>(fds.plan.get());
  // A cgroup namespace is rooted where its maker is, so init makes it itself once it has arrived; a
  // time namespace is for children, so the bridge makes it; a mount namespace that is not to begin
  // with the host's mounts is made by init as well.
  const uint64_t later =
      CLONE_NEWCGROUP | CLONE_NEWTIME | (resources.empty_mounts >= 0 ? uint64_t{CLONE_NEWNS} : 0);
  ChildEntry entry{.plan = &plan,
                   .resources = &resources,
                   .fds = &fds,
                   .plan_number = plan_number.c_str(),
                   .create = plan.namespaces.create & ~later};
  Child child = TRY(clone_init(entry, fds));
  Init init(std::move(child), std::move(fds.channel));
  fds.init_channel.reset();
  // While init still is the user that we are: afterwards an ordinary user could not reach what
  // belongs to one of his mapped ids.
  TRY(raise_hard_limits(plan, init.pid()));
  if (!plan.namespaces.bridge) TRY(set_oom_score(plan, init.pid()));
  if (plan.stream_owner) own_standard_streams(*plan.stream_owner, false);
  if (fds.go) {
    fds.init_go.reset();
    TRY(write_id_mappings(init.pid(), plan.namespaces, resources.signals));
    TRY(write_all(fds.go.get(), "pipe", "1"));
  }
  return init;
}

Init::~Init() {
  if (!child_.pidfd) return;
  // It has been waited for.
  if (sys::pidfd_send_signal(child_.pidfd.get(), SIGKILL) < 0) return;
  // A mount that hangs, or a frozen cgroup, may keep it alive for as long as it likes.
  constexpr int kPatience = 10'000;  // milliseconds
  const Result<bool> ended = wait_for_exit(child_.pidfd.get(), kPatience);
  int status;
  if (ended && ended.value()) (void)sys::waitpid(child_.pid, status);
}

// Nothing: it has died.
Result<std::optional<Message>> Init::receive(const plan::Plan& plan, int signals) {
  const Waiting waiting{.process = child_.pidfd.get(), .signals = signals};
  if (TRY(wait_readable(channel_.get(), waiting)) == Waited::ended) return std::optional<Message>();
  const std::optional<Received> received = TRY(receive_message(channel_.get()));
  if (!received) return std::optional<Message>();
  if (received->message.kind == MessageKind::failed) return explain(received->message, plan);
  return std::optional<Message>(received->message);
}

Result<MessageKind> Init::wait(const plan::Plan& plan, int signals) {
  for (;;) {
    const std::optional<Message> message = TRY(receive(plan, signals));
    if (!message) return init_died("while setting up the container");
    if (message->began_empty != 0) log::debug("the mount namespace began empty");
    if (message->kind == MessageKind::applied) {
      log::debug("applied: " + plan::print_step(plan, static_cast<size_t>(message->step)));
      continue;
    }
    TRY(check_memory());
    if (message->kind != MessageKind::request) return message->kind;
    TRY(sources_.answer(plan, message->step, {child_, channel_.get(), signals}));
  }
}

Result<> Init::proceed() {
  Message message;
  message.kind = MessageKind::proceed;
  return send_message(channel_.get(), message);
}

Result<> Init::commit(int seccomp, bool start_now) {
  Message message;
  message.kind = MessageKind::commit;
  message.start_now = start_now ? 1 : 0;
  return send_message(channel_.get(), message, seccomp);
}

Result<UniqueFd> Init::wait_started(const plan::Plan& plan, std::optional<SeccompAgent> agent,
                                    int signals) {
  ProgramStart start = TRY(await_program(channel_.get(), std::move(agent),
                                         {.process = child_.pidfd.get(), .signals = signals}));
  if (start.failed) return explain(*start.failed, plan);
  return std::move(start.notify);
}

Error explain(const Message& message, const plan::Plan& plan) {
  const auto step = static_cast<size_t>(message.step);
  const size_t before = plan.before_pivot.size();
  if (message.step < 0 || step >= before + plan.after_pivot.size()) return message.error;
  const plan::Step& failed =
      step < before ? plan.before_pivot[step] : plan.after_pivot[step - before];
  return at_place(message.error, plan::render(failed.origin));
}

}  // namespace onggi
