// SPDX-License-Identifier: Apache-2.0
// create and start in one, and in the foreground the wait for the program: signals that we get are
// its signals.
#include "linux/notify_relay.h"
#include "linux/signals.h"
#include "linux/socket_message.h"
#include "linux/terminal_relay.h"
#include "runtime/container_hooks.h"
#include "runtime/creation.h"

#include <linux/prctl.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>

namespace onggi {
namespace {

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// The program in the foreground: its signals, its terminal, and its end.
class Foreground {
 public:
  Foreground(Init& init, UniqueFd signals, std::optional<TerminalRelay> terminal,
             std::optional<NotifyRelay> notify)
      : init_(init),
        signals_(std::move(signals)),
        terminal_(std::move(terminal)),
        notify_(std::move(notify)) {}

  Result<int> wait();

 private:
  Result<> forward_signals();
  void reap();

  Init& init_;
  UniqueFd signals_;
  std::optional<TerminalRelay> terminal_;
  std::optional<NotifyRelay> notify_;
  std::optional<int> status_;
};

// Of all children: as a subreaper we also get what the container's processes leave behind.
void Foreground::reap() {
  int status;
  for (int pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid == init_.pid()) status_ = exit_status(status);
  }
}

Result<> Foreground::forward_signals() {
  while (const int signal = next_signal(signals_.get())) {
    if (signal == SIGCHLD) {
      reap();
    } else if (signal == SIGWINCH && terminal_) {
      terminal_->resize();
    } else if (signal != SIGURG && signal != SIGPIPE) {  // SIGPIPE: of our own writing
      const long sent = sys::pidfd_send_signal(init_.pidfd(), signal);
      if (sent < 0 && sent != -ESRCH) return system_error(sent, "pidfd_send_signal");
    }
  }
  return {};
}

Result<int> Foreground::wait() {
  reap();
  while (!status_) {
    std::array<pollfd, 3 + TerminalRelay::kEntries> polled = {};
    polled[0] = {.fd = signals_.get(), .events = POLLIN, .revents = 0};
    polled[1] = {.fd = init_.pidfd(), .events = POLLIN, .revents = 0};
    polled[2] = {.fd = notify_ ? notify_->fd() : -1, .events = POLLIN, .revents = 0};
    const auto relayed = std::span(polled).subspan<3>();
    if (terminal_) std::ranges::copy(terminal_->poll_entries(), relayed.begin());
    const size_t count = terminal_ ? polled.size() : 3;
    const long ready = sys::retry(SYS_ppoll, polled.data(), count, nullptr, nullptr, 0);
    if (ready < 0) return system_error(ready, "poll");
    if (terminal_) terminal_->on_ready(relayed);
    if (polled[2].revents != 0) TRY(notify_->on_ready());
    if (polled[0].revents != 0) TRY(forward_signals());
    if (polled[1].revents != 0) reap();
  }
  if (terminal_) terminal_->drain();
  return *status_;
}

// Where the pty master comes to: --console-socket, or ourselves.
struct Console {
  UniqueFd for_init, ours;
};

// Whom else the container is announced to.
struct Audience {
  UniqueFd pidfd_receiver;
  std::optional<NotifyRelay> notify;
};

Result<Audience> open_audience(const CreateOptions& options) {
  Audience audience;
  audience.pidfd_receiver = TRY(connect_receiver(options.pidfd_socket));
  audience.notify = TRY(NotifyRelay::open());
  return audience;
}

Result<Console> open_console(const Blueprint& blueprint, const CreateOptions& options) {
  Console console;
  const bool terminal = blueprint.spec.process && blueprint.spec.process->terminal;
  if (!terminal) return console;
  if (!options.console_socket.empty()) {
    console.for_init = TRY(connect_receiver(options.console_socket));
    return console;
  }
  SocketPair sockets = TRY(make_socket_pair(SOCK_STREAM));
  console.ours = std::move(sockets.first);
  console.for_init = std::move(sockets.second);
  return console;
}

Result<std::optional<TerminalRelay>> open_relay(const Blueprint& blueprint,
                                                const Console& console) {
  std::optional<TerminalRelay> relay;
  if (!console.ours) return relay;
  char name[64];  // of the pty; not needed
  UniqueFd master = TRY(receive_packet(console.ours.get(), name, sizeof name)).fd;
  relay.emplace(TRY(TerminalRelay::open(std::move(master), blueprint.spec.process->console_size)));
  return relay;
}

// From `commit` to the running program. `main_pid`: what a service manager is to watch.
Result<> start_program(Creation& creation, const Blueprint& blueprint, const CreateOptions& options,
                       Audience& audience, int main_pid) {
  TRY(creation.commit(options, audience.pidfd_receiver.get()));
  UniqueFd notify = TRY(creation.wait_started(blueprint.plan));
  if (audience.notify) audience.notify->listen(std::move(notify), main_pid);
  return run_poststart_hooks(blueprint.spec, creation.record());
}

Result<int> run_in_foreground(Creation& creation, const Blueprint& blueprint,
                              const CreateOptions& options, const Console& console,
                              Audience audience, UniqueFd signals) {
  std::optional<TerminalRelay> relay = TRY(open_relay(blueprint, console));
  const auto self = static_cast<int>(sys::getpid());
  TRY(start_program(creation, blueprint, options, audience, self));
  return Foreground(creation.init(), std::move(signals), std::move(relay),
                    std::move(audience.notify))
      .wait();
}

Result<> run_detached(Creation& creation, const Blueprint& blueprint, const CreateOptions& options,
                      Audience audience, int signals) {
  TRY(start_program(creation, blueprint, options, audience, creation.init().pid()));
  if (audience.notify) TRY(audience.notify->wait(creation.init().pidfd(), signals));
  return {};
}

}  // namespace

Result<int> run_container(const RuntimeOptions& runtime, const CreateOptions& options) {
  TRY(check_id(options.id));
  const Blueprint blueprint = TRY(read_blueprint(runtime, options));
  TRY(check_feasible(blueprint, options, !options.detach));
  if (!options.detach && !options.no_subreaper) (void)sys::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Audience audience = TRY(open_audience(options));
  UniqueFd signals = TRY(block_signals());
  Console console = TRY(open_console(blueprint, options));
  Creation creation = TRY(Creation::begin(runtime, blueprint));
  TRY(creation.launch_init(
      blueprint,
      {.console = console.for_init.get(), .signals = signals.get(), .wait_for_start = false}));
  console.for_init.reset();
  if (options.detach) {
    TRY(run_detached(creation, blueprint, options, std::move(audience), signals.get()));
    creation.release();
    return 0;
  }
  const int status = TRY(run_in_foreground(creation, blueprint, options, console,
                                           std::move(audience), std::move(signals)));
  if (options.keep) creation.release();
  return status;
}

}  // namespace onggi
