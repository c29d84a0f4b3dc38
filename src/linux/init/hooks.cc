// SPDX-License-Identifier: Apache-2.0
// The state document is given as a file rather than a pipe, so that a hook which does not read it
// can neither block nor kill us. The image chooses the program of a startContainer hook, so that
// one is executed as the container's program is: with its rights, in its directory, with its
// environment. Each of its processes gets there by itself, from an init that has dropped what it
// can and is not dumpable.
#include "linux/init/hooks.h"

#include "base/text.h"
#include "linux/init/courier.h"
#include "linux/init/program.h"
#include "linux/socket_message.h"

#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

namespace onggi {
namespace {

struct HookProcess {
  int pid = 0;
  UniqueFd pidfd, output, failure;
};

// One hook, and what it shares with the others of its list.
struct HookCall {
  const InitContext& context;
  const plan::ContainerHooks& list;
  const plan::Hook& hook;
  const Confinement* confinement;
};

// The last bytes of what a hook has printed.
struct Tail {
  char bytes[512];
  size_t used = 0;

  void add(std::string_view text) {
    if (text.size() >= sizeof bytes) {
      used = 0;
      text.remove_prefix(text.size() - sizeof bytes);
    }
    const size_t excess = used + text.size() > sizeof bytes ? used + text.size() - sizeof bytes : 0;
    memmove(bytes, bytes + excess, used - excess);
    used -= excess;
    memcpy(bytes + used, text.data(), text.size());
    used += text.size();
  }
  std::string_view view() const {
    std::string_view text(bytes, used);
    while (text.ends_with('\n')) text.remove_suffix(1);
    return text;
  }
};

int64_t now_milliseconds() {
  timespec time = {};
  (void)sys::call(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

Result<UniqueFd> make_state(const InitContext& context, const plan::ContainerHooks& hooks) {
  const long created = sys::memfd_create("state", 0x1 /* MFD_CLOEXEC */);
  if (created < 0) return system_error(created, "memfd_create", "state");
  UniqueFd file(created);
  // runtime.md#state: for a hook in the container's namespaces, the pid as the container sees it.
  const auto pid = text<32>(sys::getpid(), "}");
  for (std::string_view part : {std::string_view(context.pool(hooks.state)), pid.view()}) {
    const long written = sys::write(file.get(), part.data(), part.size());
    if (written < 0) return system_error(written, "write", "state");
  }
  const long rewound = sys::call(SYS_lseek, file.get(), 0, 0);
  if (rewound < 0) return system_error(rewound, "lseek", "state");
  return file;
}

struct ChildFds {
  int state, output, failure;
};

// In the child: everything but the three streams ends with the execve.
Result<> set_up_child(const HookCall& call, const ChildFds& fds) {
  (void)sys::call(SYS_setpgid, 0, 0);
  // Without a pid namespace of the container's, nothing else would end it with a killed init.
  (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)sys::dup3(fds.state, 0, 0);
  (void)sys::dup3(fds.output, 1, 0);
  (void)sys::dup3(fds.output, 2, 0);
  const long closing = sys::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (closing < 0) return system_error(closing, "close_range");
  if (!call.list.directory) return {};
  (void)sys::umask(022);
  const char* directory = call.context.pool(call.list.directory);
  const long entered = sys::chdir(directory);
  if (entered < 0) return system_error(entered, "chdir", directory);
  return {};
}

// Up to the filter, of which the execve is the first call.
Result<> confine_child(const HookCall& call, int report) {
  if (call.confinement == nullptr) return {};
  const Filter& filter = call.confinement->filter;
  if (needs_courier(filter, report)) {
    TRY(start_courier({.context = &call.context,
                       .report = report,
                       .listener = filter.has_listener(),
                       .drop = false,
                       .kept = 0}));
  }
  return confine(*call.confinement);
}

[[noreturn]] void execute_hook(const HookCall& call, const ChildFds& fds) {
  forget_courier();
  const plan::PoolView& pool = call.context.pool;
  const char* path = pool(call.hook.path);
  const bool adds_home = call.hook.adds_home && !call.context.home.empty();
  char** argv = pointer_array(pool, call.hook.args, nullptr);
  char** envp = pointer_array(pool, call.hook.env, adds_home ? call.context.home.c_str() : nullptr);
  Result<> prepared = set_up_child(call, fds);
  if (argv == nullptr || envp == nullptr) prepared = system_error(-ENOMEM, "mmap");
  if (prepared) prepared = confine_child(call, fds.failure);
  if (!prepared) report_failure(fds.failure, prepared.error());
  const long failed = sys::execve(path, argv, envp);
  const Filter none;
  const Filter& filter = call.confinement != nullptr ? call.confinement->filter : none;
  report_failure(fds.failure, explain_execve(failed, path, filter));
}

Result<HookProcess> start_hook(const HookCall& call, int state) {
  int output[2];
  const long piped = sys::call(SYS_pipe2, &output[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  HookProcess process;
  process.output.reset(output[0]);
  const UniqueFd output_end(output[1]);
  SocketPair failure = TRY(make_socket_pair(SOCK_SEQPACKET));
  process.failure = std::move(failure.first);
  int pidfd = -1;
  clone_args arguments = {};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const long pid = sys::call(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) execute_hook(call, {state, output[1], failure.second.get()});
  if (pid < 0) return system_error(pid, "clone3");
  process.pid = static_cast<int>(pid);
  process.pidfd.reset(pidfd);
  (void)sys::call(SYS_setpgid, process.pid, process.pid);  // here too: a timeout may come first
  return process;
}

// False: nobody can write any more.
bool read_output(const HookProcess& process, Tail& tail) {
  char buffer[1024];
  const long size = sys::read(process.output.get(), buffer, sizeof buffer);
  if (size > 0) tail.add({buffer, static_cast<size_t>(size)});
  return size > 0;
}

enum class Ending { ended, out_of_time, runtime_died };

// What the hook has written before its end, but not what a process that it left behind goes on
// writing: no more than a pipe holds.
void read_rest(const HookProcess& process, Tail& tail) {
  for (int i = 0; i < 64; i++) {
    pollfd polled = {.fd = process.output.get(), .events = POLLIN, .revents = 0};
    const timespec now = {};
    if (sys::retry(SYS_ppoll, &polled, 1, &now, nullptr, 0) <= 0) return;
    if ((polled.revents & POLLIN) == 0 || !read_output(process, tail)) return;
  }
}

// Until the hook itself ends: a grandchild may keep the pipe open for as long as it likes.
// `runtime`: its end of the channel, if it waits for us; else -1.
Result<Ending> wait_for_end(const HookProcess& process, uint32_t timeout, int runtime, Tail& tail) {
  const int64_t deadline = now_milliseconds() + int64_t{timeout} * 1000;
  pollfd polled[] = {{.fd = process.pidfd.get(), .events = POLLIN, .revents = 0},
                     {.fd = process.output.get(), .events = POLLIN, .revents = 0},
                     {.fd = runtime, .events = 0, .revents = 0}};
  for (;;) {
    const int64_t left = timeout == 0 ? 0 : deadline - now_milliseconds();
    if (timeout != 0 && left <= 0) return Ending::out_of_time;
    const timespec limit{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    const long ready =
        sys::retry(SYS_ppoll, &polled[0], 3, timeout == 0 ? nullptr : &limit, nullptr, 0);
    if (ready < 0) return system_error(ready, "ppoll");
    if (polled[0].revents != 0) break;
    if (polled[2].revents != 0) return Ending::runtime_died;
    if (polled[1].revents != 0 && !read_output(process, tail)) polled[1].fd = -1;
  }
  read_rest(process, tail);
  return Ending::ended;
}

Result<> judge(const HookProcess& process, const char* path, const Tail& tail) {
  int status = 0;
  const long reaped = sys::waitpid(process.pid, status);
  if (reaped < 0) return system_error(reaped, "wait4");
  const std::optional<Received> failed = TRY(receive_message(process.failure.get()));
  if (failed) return failed->message.error;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  Error error = make_error(ErrorKind::system, "'", path, "' ");
  if (WIFSIGNALED(status)) {
    error.message.append("was killed by signal ", WTERMSIG(status));
  } else {
    error.message.append("exited with status ", WEXITSTATUS(status));
  }
  if (!tail.view().empty()) error.message.append(": ", tail.view());
  return error;
}

// Also what it has started. A hook that has become another user may be out of our reach; then it
// ends with the container, as we do.
void end_hook(const HookProcess& process) {
  if (sys::kill(-process.pid, SIGKILL) < 0) return;
  int status = 0;
  (void)sys::waitpid(process.pid, status);
}

Result<> run_hook(const HookCall& call) {
  const UniqueFd state = TRY(make_state(call.context, call.list));
  const char* path = call.context.pool(call.hook.path);
  const HookProcess process = TRY(start_hook(call, state.get()));
  Tail tail;
  // startContainer hooks run when the runtime that has made the container is gone.
  const int runtime = call.confinement == nullptr ? call.context.channel : -1;
  const Result<Ending> ending = wait_for_end(process, call.hook.timeout, runtime, tail);
  if (ending && ending.value() == Ending::ended) return judge(process, path, tail);
  end_hook(process);
  if (!ending) return ending.error();
  if (ending.value() == Ending::runtime_died) sys::exit_group(1);
  return make_error(ErrorKind::system, "'", path, "' did not exit within ", call.hook.timeout,
                    call.hook.timeout == 1 ? " second" : " seconds");
}

}  // namespace

Result<> run_hooks(const plan::ContainerHooks& hooks, const InitContext& context,
                   const Confinement* confinement) {
  uint32_t index = 0;
  for (const plan::Hook& hook : context.pool(hooks.list)) {
    const auto place = text<64>("hooks.", context.pool(hooks.point), "[", index++, "]");
    TRY_AT(place.view(), run_hook({context, hooks, hook, confinement}));
  }
  return {};
}

Result<> apply(const plan::ContainerHooks& step, InitContext& context) {
  return run_hooks(step, context, nullptr);
}

namespace {

// Says how far we are, and waits until the runtime has done its part of the set-up.
Result<> await_runtime(InitContext& context, MessageKind reached) {
  Message message;
  message.kind = reached;
  TRY(send_message(context.channel, message));
  const std::optional<Received> proceed = TRY(receive_message(context.channel));
  if (!proceed) sys::exit_group(1);  // the runtime has given up or died
  return {};
}

}  // namespace

Result<> apply(const plan::AwaitNetDevices&, InitContext& context) {
  return await_runtime(context, MessageKind::entered);
}

Result<> apply(const plan::AwaitCgroup&, InitContext& context) {
  return await_runtime(context, MessageKind::unplaced);
}

Result<> apply(const plan::AwaitRuntimeHooks&, InitContext& context) {
  return await_runtime(context, MessageKind::mounted);
}

}  // namespace onggi
