// SPDX-License-Identifier: Apache-2.0
// create and start in one, and in the foreground the wait for the program.
#include "base/timing.h"
#include "linux/notify_relay.h"
#include "linux/signals.h"
#include "runtime/announcement.h"
#include "runtime/container_hooks.h"
#include "runtime/creation.h"
#include "runtime/foreground.h"

#include <linux/prctl.h>

namespace onggi {
namespace {

// Whom else the container is announced to.
struct Audience {
  UniqueFd pidfd_receiver;
  std::optional<NotifyRelay> notify;
};

Result<Audience> open_audience(const CreateOptions& options) {
  Audience audience;
  audience.pidfd_receiver = TRY_AT("--pidfd-socket", connect_receiver(options.pidfd_socket, -1));
  audience.notify = TRY(NotifyRelay::open());
  return audience;
}

struct Watcher {
  int main_pid;  // what a service manager is to watch
  int signals;   // of block_signals()
};

// From `commit` to the running program.
Result<> start_program(Creation& creation, const Blueprint& blueprint, const CreateOptions& options,
                       Audience& audience, const Watcher& watcher) {
  TRY(creation.commit(options, audience.pidfd_receiver.get()));
  timing::end_of("commit");
  UniqueFd notify = TRY(creation.wait_started(blueprint.plan));
  timing::end_of("handoff");
  if (audience.notify) audience.notify->listen(std::move(notify), watcher.main_pid);
  return run_poststart_hooks(blueprint.spec, creation.record(), watcher.signals);
}

Result<> remove_or_keep(Creation& creation, bool keep) {
  if (!keep) return creation.take_back();
  creation.release();
  return {};
}

Result<int> run_in_foreground(Creation& creation, const Blueprint& blueprint,
                              const CreateOptions& options, const Console& console,
                              Audience audience, int signals) {
  std::optional<TerminalRelay> relay = TRY(open_relay(console, blueprint.spec.process));
  const auto self = static_cast<int>(sys::getpid());
  TRY(start_program(creation, blueprint, options, audience, {self, signals}));
  Foreground foreground(creation.init(), signals, std::move(relay), std::move(audience.notify));
  const int status = TRY(foreground.wait());
  timing::end_of("program");
  const Result<> removed = remove_or_keep(creation, options.keep);
  foreground.finish_output();
  TRY(removed);
  return status;
}

Result<> run_detached(Creation& creation, const Blueprint& blueprint, const CreateOptions& options,
                      Audience audience, int signals) {
  TRY(start_program(creation, blueprint, options, audience, {creation.init().pid(), signals}));
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
  const UniqueFd signals = TRY(block_signals());
  Console console =
      TRY(open_console(blueprint.spec.process, options.console_socket, signals.get()));
  Creation creation = TRY(Creation::begin(runtime, blueprint, signals.get()));
  TRY(creation.launch_init(blueprint,
                           {.console = console.for_init.get(), .wait_for_start = false}));
  console.for_init.reset();
  if (options.detach) {
    TRY(run_detached(creation, blueprint, options, std::move(audience), signals.get()));
    creation.release();
    return 0;
  }
  return run_in_foreground(creation, blueprint, options, console, std::move(audience),
                           signals.get());
}

}  // namespace onggi
