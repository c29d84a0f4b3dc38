// SPDX-License-Identifier: Apache-2.0
// Signals are taken one by one with sigwaitinfo(2), so no handler runs.
#include "process/supervised.h"

#include "process/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace onggi::image {
namespace {

constexpr std::array kHandedOn = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT};

sigset_t awaited_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  for (int signal : kHandedOn) sigaddset(&set, signal);
  return set;
}

// Blocked, so that they wait for sigwaitinfo(2); as they were at the end.
class BlockedSignals {
 public:
  BlockedSignals() : awaited_(awaited_signals()) {
    (void)sigprocmask(SIG_BLOCK, &awaited_, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { (void)sigprocmask(SIG_SETMASK, &before_, nullptr); }
  const sigset_t& awaited() const { return awaited_; }
  const sigset_t& before() const { return before_; }

 private:
  sigset_t awaited_, before_;
};

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// From a terminal's driver the foreground's other processes have it, too.
bool is_sent_to_us_alone(const siginfo_t& info) {
  return info.si_code != SI_KERNEL;
}

// A container's first process becomes ours when the runtime's last process has ended, which may be
// after the one that we have called (crun). Until then there is nothing to wait for.
Result<int> wait_and_hand_on(pid_t pid, const BlockedSignals& signals) {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return exit_status(status);
    const bool is_not_ours = ended < 0 && errno == ECHILD;
    if (ended < 0 && errno != EINTR && !is_not_ours) return system_error(-errno, "waitpid");
    if (is_not_ours && kill(pid, 0) != 0) return 0;  // ended, and somebody else knows how
    siginfo_t info = {};
    constexpr timespec kSoon = {0, 20'000'000};
    const int signal = is_not_ours ? sigtimedwait(&signals.awaited(), &info, &kSoon)
                                   : sigwaitinfo(&signals.awaited(), &info);
    if (signal > 0 && signal != SIGCHLD && is_sent_to_us_alone(info)) (void)kill(pid, signal);
  }
}

Result<pid_t> start(const SupervisedCall& call, const sigset_t& mask) {
  Spawn process;
  if (!call.reads_input) process.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  if (call.output >= 0) process.duplicate(call.output, STDOUT_FILENO);
  if (call.error >= 0) process.duplicate(call.error, STDERR_FILENO);
  process.set_mask(mask);
  return process.run(call.arguments);
}

}  // namespace

Result<int> run_supervised(const SupervisedCall& call) {
  const BlockedSignals signals;
  const pid_t pid = TRY(start(call, signals.before()));
  return wait_and_hand_on(pid, signals);
}

Result<int> supervise(int pid) {
  const BlockedSignals signals;
  return wait_and_hand_on(pid, signals);
}

}  // namespace onggi::image
