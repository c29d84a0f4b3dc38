// SPDX-License-Identifier: Apache-2.0
// A hook is somebody else's program that every container waits for, so nothing it does may hang us:
// its input is a file, its output is read while it runs and no longer than that (a daemon that it
// leaves behind may hold the pipe for ever), and its time limit holds for all that it started.
#include "hooks/hooks.h"

#include "base/file.h"
#include "base/log.h"
#include "linux/sealed_init.h"
#include "linux/signals.h"
#include "linux/spawn.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace onggi::hooks {
namespace {

constexpr size_t kKeptOutput = 4096;             // of what a hook prints: the end
constexpr size_t kShownOutput = 400;             // of that in the error
constexpr size_t kPipeSize = size_t{64} * 1024;  // pipe(7)

// Spec text is NUL-terminated where it stands (spec.h).
SpawnRequest::Words vector_of(const spec::TextList& texts) {
  SpawnRequest::Words words;
  words.reserve(texts.size() + 1);
  for (const spec::Text text : texts) words.push_back(text.data());
  return words;
}

// ── the child ──

// Ends with us, unless it has been reaped.
class Running {
 public:
  Running(Child child, UniqueFd output) : child_(std::move(child)), output_(std::move(output)) {}
  Running(Running&& other) noexcept = default;
  Running& operator=(Running&&) = delete;
  ~Running() {
    if (!child_.pidfd) return;
    kill_group();
    (void)reap();
  }

  int pidfd() const { return child_.pidfd.get(); }
  int output() const { return output_.get(); }  // non-blocking
  // Also what it has started in the background. Before `reap`, so the number is still its own.
  void kill_group() const { (void)sys::kill(-child_.pid, SIGKILL); }
  int reap() {
    int status = 0;
    (void)sys::waitpid(child_.pid, status);
    child_.pidfd.reset();
    return status;
  }

 private:
  Child child_;
  UniqueFd output_;
};

// A file instead of a pipe: a hook may read it late, in part or not at all.
Result<UniqueFd> open_input(std::string_view state) {
  UniqueFd input = TRY(make_sealed_memfd("state", state, false));
  const long rewound = sys::lseek(input.get(), 0, SEEK_SET);
  if (rewound < 0) return system_error(rewound, "lseek", "state");
  return input;
}

Result<Running> start(const spec::Hook& hook, const Point& point) {
  const UniqueFd input = TRY(open_input(point.state));
  const UniqueFd directory = TRY(open_directory(AT_FDCWD, point.directory));
  int pipe[2];
  const long piped = sys::call(SYS_pipe2, &pipe[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  UniqueFd ours(pipe[0]);
  const UniqueFd theirs(pipe[1]);
  (void)sys::fcntl(ours.get(), F_SETFL, O_NONBLOCK);

  // Without `env` it has our environment, the engine's, as with runc and crun: scripts of engines
  // rely on its PATH. Nothing of the image's is in there (CVE-2025-23266).
  // The session of its own makes it a process group that can be killed, and takes the terminal
  // away: in the background of ours it would be stopped as soon as it read from it, and we with it.
  SpawnRequest request{
      .arguments = vector_of(hook.args.empty() ? spec::TextList{hook.path} : hook.args),
      .environment = hook.env ? std::optional(vector_of(*hook.env)) : std::nullopt,
      .directory = directory.get(),
      .input = input.get(),
      .output = theirs.get(),
      .errors = theirs.get(),
      .own_session = true};
  return Running(TRY(spawn(std::string(hook.path), std::move(request))), std::move(ours));
}

// ── waiting for it ──

struct Ending {
  int status = 0;        // as from waitpid(2)
  bool expired = false;  // its time was up
  int signal = 0;        // that ended us, and so it
  std::string output;    // the last part
};

// False: there is nothing more, for now or for ever.
bool read_output(int fd, std::string& output) {
  char bytes[4096];
  const long size = sys::read(fd, bytes, sizeof bytes);
  if (size <= 0) return false;
  output.append(bytes, static_cast<size_t>(size));
  if (output.size() > 2 * kKeptOutput) output.erase(0, output.size() - kKeptOutput);
  return true;
}

constexpr int64_t kSecond = 1'000'000'000;

int64_t monotonic_time() {
  return sys::nanoseconds(CLOCK_MONOTONIC);
}

// Until a descriptor is ready or the time has come.
Result<> poll_until(std::span<pollfd> polled, std::optional<int64_t> deadline) {
  const int64_t rest = deadline ? std::max<int64_t>(*deadline - monotonic_time(), 0) : 0;
  timespec timeout{.tv_sec = rest / kSecond, .tv_nsec = rest % kSecond};
  const long ready = sys::retry(SYS_ppoll, polled.data(), polled.size(),
                                deadline ? &timeout : nullptr, nullptr, 0);
  if (ready < 0) return system_error(ready, "poll");
  return {};
}

Result<Ending> wait_for(Running hook, std::optional<uint32_t> timeout, int signals) {
  Ending ending;
  std::optional<int64_t> deadline;
  if (timeout) deadline = monotonic_time() + *timeout * kSecond;
  // The others are for the program, and stay.
  const UniqueFd terminating = signals < 0 ? UniqueFd() : TRY(terminating_signals());
  pollfd polled[] = {{.fd = hook.pidfd(), .events = POLLIN, .revents = 0},
                     {.fd = hook.output(), .events = POLLIN, .revents = 0},
                     {.fd = signals < 0 ? -1 : terminating.get(), .events = POLLIN, .revents = 0}};
  while (polled[0].revents == 0) {
    TRY(poll_until(polled, deadline));
    if (polled[1].revents != 0 && !read_output(hook.output(), ending.output)) polled[1].fd = -1;
    if (polled[2].revents != 0) ending.signal = next_signal(terminating.get());
    if (polled[0].revents == 0 && deadline && monotonic_time() >= *deadline) ending.expired = true;
    if (ending.expired || ending.signal != 0) {
      hook.kill_group();
      deadline.reset();
    }
  }
  // What it has written, but not what a process that it left behind goes on writing.
  for (size_t i = 0; i < kPipeSize / kKeptOutput; i++) {
    if (!read_output(hook.output(), ending.output)) break;
  }
  ending.status = hook.reap();
  return ending;
}

// ── what to say of it ──

// The last part of the output on one line, after a colon; nothing if there was none.
std::string shown(std::string_view output) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string text;
  for (const char byte : output) {
    const bool blank = kBlanks.find(byte) != kBlanks.npos;
    if (!blank) text += byte;
    if (blank && !text.empty() && text.back() != ' ') text += ' ';
  }
  if (text.ends_with(' ')) text.pop_back();
  if (text.size() > kShownOutput) {
    size_t first = text.size() - kShownOutput;
    // Not from within a character of UTF-8.
    while (first < text.size() && (static_cast<unsigned char>(text[first]) & 0xC0) == 0x80) first++;
    text.replace(0, first, "...");
  }
  return text.empty() ? text : ": " + text;
}

Result<> judge(const Ending& ending, const spec::Hook& hook) {
  const std::string output = shown(ending.output);
  const auto failed = [&](const auto&... what) {
    return make_error(ErrorKind::system, "'", hook.path, "' ", what..., output);
  };
  if (ending.signal != 0) {
    return make_error(ErrorKind::system, "interrupted by signal ", ending.signal);
  }
  if (ending.expired) {
    return failed("did not exit within ", *hook.timeout,
                  *hook.timeout == 1 ? " second" : " seconds");
  }
  if (WIFSIGNALED(ending.status)) {
    return failed("was killed by signal ", WTERMSIG(ending.status));
  }
  if (WEXITSTATUS(ending.status) != 0) {
    return failed("exited with status ", WEXITSTATUS(ending.status));
  }
  return {};
}

Result<> run_one(const spec::Hook& hook, const Point& point) {
  const int64_t began = sys::nanoseconds(CLOCK_MONOTONIC);
  Running running = TRY(start(hook, point));
  const Ending ending = TRY(wait_for(std::move(running), hook.timeout, point.signals));
  if (log::shows_debug()) {
    log::debug(text<512>("hooks.", point.name, ": '", hook.path, "' ended after ",
                         (sys::nanoseconds(CLOCK_MONOTONIC) - began) / 1'000'000, " ms")
                   .view());
  }
  return judge(ending, hook);
}

FixedText<128> place(const Point& point, size_t index) {
  return text<128>("hooks.", point.name, "[", index, "]");
}

}  // namespace

Result<> run(std::span<const spec::Hook> hooks, const Point& point) {
  for (size_t i = 0; i < hooks.size(); i++) {
    TRY_AT(place(point, i).view(), run_one(hooks[i], point));
  }
  return {};
}

void run_all(std::span<const spec::Hook> hooks, const Point& point) {
  for (size_t i = 0; i < hooks.size(); i++) {
    const Result<> result = run_one(hooks[i], point);
    if (result) continue;
    const Error& error = result.error();
    std::string message(place(point, i).view());
    message.append(": ").append(error.message.view());
    if (error.errnum != 0) message.append(": ").append(log::errno_text(error.errnum));
    log::error(message.append(", ignoring"));
  }
}

}  // namespace onggi::hooks
