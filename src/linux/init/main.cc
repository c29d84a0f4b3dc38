// SPDX-License-Identifier: Apache-2.0
// onggi-init: the only code of ours that ever runs in a container. It is executed from a sealed
// memfd, maps the plan that it inherits, applies it step by step, waits to be started and becomes
// the container's program.
//   argv[1]  descriptor of the plan, in decimal
#include "base/text.h"
#include "linux/init/host_mounts.h"
#include "linux/init/program.h"
#include "linux/socket_message.h"

#include <linux/magic.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/vfs.h>

#include <variant>

namespace onggi {
namespace {

Result<> take_host_proc(InitContext& context) {
  context.host_proc.reset(context.plan.fds.host_proc);
  if (!context.host_proc) return {};
  struct statfs info = {};
  const long result = sys::fstatfs(context.host_proc.get(), &info);
  if (result < 0) return system_error(result, "fstatfs", "/proc");
  if (info.f_type != PROC_SUPER_MAGIC)
    return make_error(ErrorKind::system, "the host's '/proc' is not a proc filesystem");
  return {};
}

Result<> report_step(const InitContext& context) {
  Message message;
  message.kind = MessageKind::applied;
  message.step = context.step;
  return send_message(context.channel, message);
}

Result<> apply_all(plan::List<plan::Action> list, InitContext& context) {
  for (const plan::Action& action : context.pool(list)) {
    context.step++;
    TRY(std::visit([&context](const auto& record) { return apply(record, context); }, action));
    if (context.plan.report_steps != 0) TRY(report_step(context));
  }
  return {};
}

Result<> set_up(InitContext& context) {
  const plan::Handoff& handoff = context.plan.handoff;
  (void)sys::umask(0);  // modes of devices and directories are exact
  (void)sys::setsid();
  sys::reset_signals();
  TRY(join_cgroups(context));
  TRY(set_affinity(context));
  TRY(take_host_proc(context));
  TRY(enter_mount_namespace(context));
  TRY(apply_all(context.plan.before_pivot, context));
  TRY(open_labels(context));
  context.host_proc.reset();
  context.host = {};
  TRY(apply_all(context.plan.after_pivot, context));
  context.step = -1;
  TRY(reopen_null_streams(context));
  if (!handoff.has_program) return {};
  if (handoff.find_home) find_home(context);
  TRY(enter_cwd(context));
  return check_program(context);
}

constexpr sys::SignalSet bit(int signal) {
  return sys::SignalSet{1} << (signal - 1);
}

// Whose default is to end the process (signal(7)); SIGKILL cannot be blocked.
constexpr sys::SignalSet kEnding =
    ~(bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH) | bit(SIGSTOP) | bit(SIGTSTP) |
      bit(SIGTTIN) | bit(SIGTTOU) | bit(SIGKILL));

// The first process of a pid namespace has to do by itself what the kernel does to any other: it
// gets only those signals that it has asked for.
[[noreturn]] void end_by_signal(int signals) {
  signalfd_siginfo info = {};
  (void)sys::read(signals, &info, sizeof info);
  (void)sys::set_signal_mask(0);
  (void)sys::kill(static_cast<int>(sys::getpid()), static_cast<int>(info.ssi_signo));
  sys::exit_group(128 + static_cast<int>(info.ssi_signo));
}

// Until `fd` can be read.
Result<> wait_or_end(int fd, int signals) {
  pollfd polled[] = {{.fd = fd, .events = POLLIN, .revents = 0},
                     {.fd = signals, .events = POLLIN, .revents = 0}};
  const long ready = sys::retry(SYS_ppoll, &polled[0], 2, nullptr, nullptr, 0);
  if (ready < 0) return system_error(ready, "poll");
  if (polled[1].revents != 0) end_by_signal(signals);
  return {};
}

// The connection on which `start` waits for the outcome. A signal that would end the container's
// program ends the created container, too.
Result<UniqueFd> wait_for_start(int listener) {
  (void)sys::set_signal_mask(kEnding);
  const long opened = sys::signalfd(kEnding, SFD_CLOEXEC);
  if (opened < 0) return system_error(opened, "signalfd");
  const UniqueFd signals(opened);
  for (;;) {
    TRY(wait_or_end(listener, signals.get()));
    const long accepted = sys::accept(listener);
    if (accepted < 0) return system_error(accepted, "accept");
    UniqueFd connection(accepted);
    TRY(wait_or_end(connection.get(), signals.get()));
    const Result<std::optional<Received>> received = receive_message(connection.get());
    // A `start` that was killed in between has not started anything.
    if (received && received.value() && (*received.value()).message.kind == MessageKind::start) {
      (void)sys::set_signal_mask(0);
      return connection;
    }
  }
}

Result<> serve(InitContext& context, UniqueFd& channel) {
  TRY(set_up(context));
  Message ready;
  ready.kind = MessageKind::ready;
  ready.began_empty = context.began_empty ? 1 : 0;
  TRY(send_message(channel.get(), ready));
  std::optional<Received> commit = TRY(receive_message(channel.get()));
  if (!commit) sys::exit_group(1);  // the runtime is gone before it recorded us
  if (commit->message.start_now == 0) {
    UniqueFd listener(context.plan.fds.start_listener);
    channel = TRY(wait_for_start(listener.get()));
    context.channel = channel.get();
  }
  if (context.notify) {
    Message notify;
    notify.kind = MessageKind::notify;
    // Whoever waited may be gone; the program is to run all the same.
    (void)send_message(channel.get(), notify, context.notify.get());
  }
  return run_program(context, std::move(commit->fd));
}

}  // namespace

[[noreturn]] void init_main(long argc, char** argv) {
  // As it is already, unless this is the installed program, which everybody may read.
  (void)sys::prctl(PR_SET_DUMPABLE, 0);
  (void)sys::prctl(PR_SET_NAME, reinterpret_cast<unsigned long>("onggi-init"));
  const auto plan_fd = parse_decimal<int>(argc == 2 ? argv[1] : "");
  if (!plan_fd) sys::exit_group(2);  // not for people to call
  struct statx info = {};
  if (sys::statx(*plan_fd, "", AT_EMPTY_PATH, STATX_SIZE, &info) < 0) sys::exit_group(2);
  const long memory = sys::mmap(info.stx_size, PROT_READ, MAP_PRIVATE, *plan_fd);
  if ((memory < 0 && memory > -4096) || info.stx_size < sizeof(InitPlan)) sys::exit_group(2);
  (void)sys::close(*plan_fd);

  const auto& plan = *reinterpret_cast<const InitPlan*>(memory);
  InitContext context(plan);
  UniqueFd channel(plan.fds.channel);
  const Result<> failed = serve(context, channel);
  (void)send_failure(channel.get(), failed.error(), context.step);
  sys::exit_group(1);
}

}  // namespace onggi
