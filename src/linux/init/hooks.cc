// SPDX-License-Identifier: Apache-2.0
// createContainer and startContainer hooks: the two that run in the container's namespaces. The
// state document is given as a sealed file rather than a pipe, so that a hook which does not read
// it can neither block nor kill us.
#include "base/text.h"
#include "linux/init/context.h"
#include "linux/init/program.h"
#include "linux/socket_message.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

namespace onggi {
namespace {

constexpr int kErrorFd = 3;  // in the child: its number, for the errno of a failed execve

struct HookProcess {
  int pid = 0;
  UniqueFd pidfd, output, failure;
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

[[noreturn]] void execute_hook(const InitContext& context, const plan::Hook& hook,
                               const char* directory, const ChildFds& fds) {
  (void)sys::call(SYS_setpgid, 0, 0);
  (void)sys::umask(022);
  long failed = sys::chdir(directory);
  // Above 3 first, so that none of the four lies in another's way.
  const long failure = sys::fcntl(fds.failure, F_DUPFD_CLOEXEC, 10);
  (void)sys::dup3(fds.state, 0, 0);
  (void)sys::dup3(fds.output, 1, 0);
  (void)sys::dup3(fds.output, 2, 0);
  (void)sys::dup3(static_cast<int>(failure), kErrorFd, O_CLOEXEC);
  (void)sys::close_range(kErrorFd + 1, ~0U, 0);
  if (failed == 0) {
    char** argv = pointer_array(context.pool, hook.args, nullptr);
    char** envp = pointer_array(context.pool, hook.env, nullptr);
    failed = argv == nullptr || envp == nullptr
                 ? -ENOMEM
                 : sys::execveat(AT_FDCWD, context.pool(hook.path), argv, envp, 0);
  }
  (void)sys::write(kErrorFd, &failed, sizeof failed);
  sys::exit_group(127);
}

Result<HookProcess> start_hook(const InitContext& context, const plan::Hook& hook,
                               const char* directory, int state) {
  int output[2], failure[2];
  const long piped = sys::call(SYS_pipe2, &output[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  HookProcess process;
  process.output.reset(output[0]);
  const UniqueFd output_end(output[1]);
  const long second = sys::call(SYS_pipe2, &failure[0], O_CLOEXEC);
  if (second < 0) return system_error(second, "pipe");
  process.failure.reset(failure[0]);
  const UniqueFd failure_end(failure[1]);
  int pidfd = -1;
  clone_args arguments = {};
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const long pid = sys::call(SYS_clone3, &arguments, sizeof arguments);
  if (pid == 0) execute_hook(context, hook, directory, {state, output[1], failure[1]});
  if (pid < 0) return system_error(pid, "clone3");
  process.pid = static_cast<int>(pid);
  process.pidfd.reset(pidfd);
  (void)sys::call(SYS_setpgid, process.pid, process.pid);  // here too: a timeout may come first
  return process;
}

void read_output(const HookProcess& process, Tail& tail) {
  char buffer[1024];
  const long size = sys::read(process.output.get(), buffer, sizeof buffer);
  if (size > 0) tail.add({buffer, static_cast<size_t>(size)});
}

// Until the hook itself ends: a grandchild may keep the pipe open for as long as it likes. False:
// out of time.
bool wait_for_end(const HookProcess& process, uint32_t timeout, Tail& tail) {
  const int64_t deadline = now_milliseconds() + int64_t{timeout} * 1000;
  for (;;) {
    pollfd polled[] = {{.fd = process.pidfd.get(), .events = POLLIN, .revents = 0},
                       {.fd = process.output.get(), .events = POLLIN, .revents = 0}};
    const int64_t left = timeout == 0 ? 0 : deadline - now_milliseconds();
    if (timeout != 0 && left <= 0) return false;
    const timespec limit{.tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000};
    const long ready =
        sys::retry(SYS_ppoll, &polled[0], 2, timeout == 0 ? nullptr : &limit, nullptr, 0);
    if (ready < 0) return true;  // the wait below tells
    if ((polled[1].revents & POLLIN) != 0) {
      read_output(process, tail);
    } else if (polled[0].revents != 0) {
      return true;
    }
  }
}

Result<> judge(const HookProcess& process, const char* path, const Tail& tail) {
  int status = 0;
  (void)sys::retry(SYS_wait4, process.pid, &status, 0, nullptr);
  long failed = 0;
  if (sys::read(process.failure.get(), &failed, sizeof failed) ==
      static_cast<long>(sizeof failed)) {
    return system_error(failed, "exec", path);
  }
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

Result<> run_hook(const InitContext& context, const plan::ContainerHooks& hooks,
                  const plan::Hook& hook) {
  const UniqueFd state = TRY(make_state(context, hooks));
  const char* path = context.pool(hook.path);
  const HookProcess process =
      TRY(start_hook(context, hook, context.pool(hooks.directory), state.get()));
  Tail tail;
  if (wait_for_end(process, hook.timeout, tail)) return judge(process, path, tail);
  (void)sys::kill(-process.pid, SIGKILL);
  (void)sys::retry(SYS_wait4, process.pid, nullptr, 0, nullptr);
  return make_error(ErrorKind::system, "'", path, "' did not exit within ", hook.timeout,
                    " seconds");
}

}  // namespace

Result<> run_hooks(const plan::ContainerHooks& hooks, const InitContext& context) {
  uint32_t index = 0;
  for (const plan::Hook& hook : context.pool(hooks.list)) {
    const auto place = text<64>("hooks.", context.pool(hooks.point), "[", index++, "]");
    TRY_AT(place.view(), run_hook(context, hooks, hook));
  }
  return {};
}

Result<> apply(const plan::ContainerHooks& step, InitContext& context) {
  return run_hooks(step, context);
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
