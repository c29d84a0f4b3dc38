// SPDX-License-Identifier: Apache-2.0
// The end is told by a byte: a pipe that is closed without one means that its other end was killed.
#include "process/output_log.h"

#include "base/file.h"
#include "base/utc.h"
#include "process/log_lines.h"
#include "process/pipe.h"

#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

namespace onggi::image {
namespace {

constexpr size_t kPortion = 64u << 10;  // as much as a pipe holds

class Writer {
 public:
  Writer(int output, int error, int end, int log) : sources_{output, error, end}, log_(log) {}

  void run() {
    while (sources_[kOutput] >= 0 || sources_[kError] >= 0) {
      std::array<pollfd, 3> events = {};
      for (size_t i = 0; i < events.size(); ++i) events[i] = {sources_[i], POLLIN, 0};
      const int count = poll(events.data(), events.size(), is_ending_ ? 0 : -1);
      if (count < 0 && errno != EINTR) return;
      if (count == 0) return;  // ending, and nothing is left
      if (events[kEnd].revents != 0) hear_end();
      for (size_t i : {kOutput, kError}) {
        if (events[i].revents != 0) copy_some(i);
      }
    }
  }

 private:
  static constexpr size_t kOutput = 0, kError = 1, kEnd = 2;

  void hear_end() {
    char byte = 0;
    is_ending_ = sys::read(sources_[kEnd], &byte, 1) == 1;
    sources_[kEnd] = -1;
  }

  // EIO: nobody has the terminal any more (ioctl_tty(2)).
  void copy_some(size_t source) {
    const long size = sys::read(sources_[source], buffer_.data(), buffer_.size());
    if (size == -EINTR || size == -EAGAIN) return;
    if (size <= 0) {
      sources_[source] = -1;
      return;
    }
    lines_.clear();
    append_log_lines({buffer_.data(), static_cast<size_t>(size)},
                     source == kOutput ? LogStream::output : LogStream::error,
                     utc_now(Precision::nanoseconds), lines_);
    // A full disk must not stop the program: it would wait for its pipe.
    (void)write_all(log_, "log", lines_);
  }

  std::array<int, 3> sources_;
  int log_;
  bool is_ending_ = false;
  std::string buffer_ = std::string(kPortion, 0);
  std::string lines_;
};

// The lock of the container and the pipes' other ends are not for this process: it would keep them
// beyond the runner's death.
void close_all_but(std::array<int, 4> kept) {
  std::ranges::sort(kept);
  unsigned from = 0;
  for (int fd : kept) {
    if (fd < 0) continue;
    if (static_cast<unsigned>(fd) > from)
      (void)sys::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    from = static_cast<unsigned>(fd) + 1;
  }
  (void)sys::close_range(from, ~0u, 0);
}

[[noreturn]] void write_log(int output, int error, int end, int log) {
  sigset_t all;
  sigfillset(&all);
  (void)sigprocmask(SIG_BLOCK, &all, nullptr);
  close_all_but({output, error, end, log});
  // The working directory may be one that somebody wants to unmount.
  (void)sys::chdir("/");
  Writer(output, error, end, log).run();
  _exit(0);
}

}  // namespace

Result<OutputLog> OutputLog::start(UniqueFd output, UniqueFd error, UniqueFd log) {
  // One open file, one lock: it goes with this process's descriptor and with the writer's.
  if (flock(log.get(), LOCK_EX) != 0) return system_error(-errno, "flock", "log");
  Pipe end = TRY(make_pipe());
  const pid_t pid = fork();
  if (pid < 0) return system_error(-errno, "fork");
  if (pid == 0) write_log(output.get(), error.get(), end.read.get(), log.get());
  return OutputLog(pid, std::move(end.write));
}

OutputLog::~OutputLog() {
  if (pid_ <= 0) return;
  (void)sys::write(end_.get(), "x", 1);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace onggi::image
