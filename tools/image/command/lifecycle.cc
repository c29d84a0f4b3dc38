// SPDX-License-Identifier: Apache-2.0
// An ordinary user signals and waits before he enters a user namespace: in another one than the
// container's he could not.
#include "command/lifecycle.h"

#include "base/log.h"
#include "bundle/container_watch.h"
#include "command/container_files.h"
#include "process/user_namespace.h"

namespace onggi::image {
namespace {

constexpr int64_t kGrace = 10, kLongestGrace = 1'000'000;  // seconds
constexpr const char* kStopSignal = "TERM";

Result<ContainerWatch> watch_container(const Context& context, const std::string& id) {
  const Store store = TRY(Store::open(context.global.root, LockKind::shared));
  return ContainerWatch::open(store, id);
}

// One after the other; what fails for one does not keep the others.
template <class Action>
Result<int> for_each_operand(const Context& context, std::string_view command,
                             const Action& action) {
  if (context.operands.size() == 1) {
    TRY(action(std::string(context.operands[0])));
    return 0;
  }
  int status = 0;
  for (std::string_view each : context.operands) {
    const Result<> done = action(std::string(each));
    if (done) continue;
    log::report(text<256>(command, " ", each).view(), done.error());
    status = 1;
  }
  return status;
}

Result<> send_signal(const ContainerWatch& watch, const std::string& signal) {
  const ProgramAnswer answer = TRY(call_runtime(watch.record(), {"kill"}, {signal}));
  if (answer.status == 0) return {};
  return state_error(watch.record().runtime, " could not send the signal ", signal);
}

Result<int64_t> grace_of(const StopOptions& options, const ContainerWatch& watch) {
  const std::string& text = options.time.empty() ? watch.record().stop_timeout : options.time;
  if (text.empty()) return kGrace;
  const std::optional<int64_t> seconds = parse_decimal<int64_t>(text);
  if (seconds && *seconds >= -1 && *seconds <= kLongestGrace) return *seconds;
  return with_hint(
      make_error(ErrorKind::invalid_config, "--time '", text, "' is not a number of seconds"),
      "use a number such as 10, or -1 to wait for ever");
}

// False: it had no process.
Result<bool> end_process(const ContainerWatch& watch, const StopOptions& options,
                         std::optional<ContainerExit>& exit) {
  const int64_t grace = TRY(grace_of(options, watch));
  const std::optional<ContainerProcess> process = TRY(watch.process());
  if (!process) return false;
  std::string signal = options.signal;
  if (signal.empty()) signal = TRY(stop_signal_of(watch.directory()));
  const Result<> sent = send_signal(watch, signal.empty() ? kStopSignal : signal);
  const int patience = grace < 0 ? -1 : static_cast<int>(grace * 1000);
  // It may have ended before the signal came.
  if (!TRY(wait_for_process(*process, sent ? patience : 0))) {
    TRY(sent);
    TRY(send_signal(watch, "KILL"));
    TRY(wait_for_process(*process, -1));
  }
  // Its runner tells it as well, unless it was killed.
  if (const std::optional<int> status = exit_status_of(*process)) exit = ContainerExit{*status, {}};
  return true;
}

Result<> stop_one(const Context& context, const StopOptions& options, const std::string& id) {
  const ContainerWatch watch = TRY(watch_container(context, id));
  std::optional<ContainerExit> exit;
  if (!TRY(end_process(watch, options, exit)) && TRY(watch.is_starting()))
    return with_hint(state_error("the container is starting"), "try again when it runs");
  const std::optional<ContainerExit> told = TRY(watch.wait());
  return told ? Result<>() : settle(context.global.root, id, exit);
}

}  // namespace

Result<int> stop_command(const Context& context, const StopOptions& options) {
  return for_each_operand(context, "stop", [&](const std::string& id) -> Result<> {
    TRY(stop_one(context, options, id));
    TRY(cli::print(id + "\n"));
    return {};
  });
}

Result<int> kill_command(const Context& context, const KillOptions& options) {
  return for_each_operand(context, "kill", [&](const std::string& id) -> Result<> {
    const ContainerWatch watch = TRY(watch_container(context, id));
    if (!TRY(watch.process())) return state_error("the container is not running");
    TRY(send_signal(watch, options.signal.empty() ? "KILL" : options.signal));
    TRY(cli::print(id + "\n"));
    return {};
  });
}

Result<int> wait_command(const Context& context, const NoOptions&) {
  return for_each_operand(context, "wait", [&](const std::string& id) -> Result<> {
    const ContainerWatch watch = TRY(watch_container(context, id));
    const std::optional<ContainerExit> exit = TRY(watch.wait());
    if (!exit) {
      return with_hint(
          state_error("the exit status is unknown: the process that ran the container was killed"),
          "use 'onggi-image start' to run it again");
    }
    TRY(cli::print(std::to_string(exit->status) + "\n"));
    return {};
  });
}

}  // namespace onggi::image
