// SPDX-License-Identifier: Apache-2.0
// The kernel closes the pipe that holds it when this process ends, however it does.
#include "process/companion.h"

#include "base/file.h"
#include "process/pipe.h"
#include "process/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace onggi::image {
namespace {

constexpr int kPatience = 30'000;  // milliseconds

// Its output is a pipe that never blocks: what nobody reads is dropped once the pipe is full.
Result<Pipe> make_words() {
  Pipe words = TRY(make_pipe());
  if (fcntl(words.write.get(), F_SETFL, O_NONBLOCK) != 0 ||
      fcntl(words.read.get(), F_SETFL, O_NONBLOCK) != 0)
    return system_error(-errno, "fcntl");
  return words;
}

void show(int words) {
  char buffer[4096];
  const long size = sys::read(words, buffer, sizeof buffer);
  if (size > 0)
    (void)write_all(STDERR_FILENO, "standard error", {buffer, static_cast<size_t>(size)});
}

// A process group of its own: ^C is for the container.
Result<pid_t> spawn(std::vector<std::string> arguments, const std::vector<int>& inherited,
                    int output) {
  Spawn process;
  process.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  process.duplicate(output, STDOUT_FILENO);
  process.duplicate(output, STDERR_FILENO);
  for (int fd : inherited) process.duplicate(fd, fd);
  process.lead_process_group();
  return process.run(std::move(arguments));
}

// Ends with the program, or with the hang-up of `end`: then it kills the program. It must not keep
// what it has inherited of us, such as locks and pipes that others wait for.
[[noreturn]] void keep(pid_t program, UniqueFd pidfd, int end) {
  const int kept[] = {dup2(end, STDIN_FILENO), dup2(pidfd.get(), STDOUT_FILENO)};
  (void)close_range(STDERR_FILENO, ~0u, 0);
  pollfd events[] = {{kept[0], POLLIN, 0}, {kept[1], POLLIN, 0}};
  while (poll(events, 2, -1) < 0 && errno == EINTR) {
  }
  (void)kill(program, SIGKILL);
  (void)waitpid(program, nullptr, 0);
  _exit(0);
}

// The value is the keeper's pid. It is in a process group of its own as well.
Result<pid_t> spawn_kept(std::vector<std::string> arguments, const std::vector<int>& inherited,
                         int output, int end) {
  const std::string program = arguments[0];
  Pipe started = TRY(make_pipe());
  const pid_t keeper = fork();
  if (keeper < 0) return system_error(-errno, "fork");
  if (keeper == 0) {
    (void)setpgid(0, 0);
    const Result<pid_t> pid = spawn(std::move(arguments), inherited, output);
    const int failure = pid ? 0 : pid.error().errnum;
    UniqueFd pidfd(pid ? sys::pidfd_open(pid.value()) : -1L);
    (void)sys::write(started.write.get(), &failure, sizeof failure);
    if (!pid) _exit(1);
    keep(pid.value(), std::move(pidfd), end);
  }
  started.write.reset();
  int failure = 0;
  if (sys::read(started.read.get(), &failure, sizeof failure) == sizeof failure && failure == 0)
    return keeper;
  (void)waitpid(keeper, nullptr, 0);
  return system_error(-failure, "execve", program);
}

bool becomes_ready(int fd) {
  pollfd readable = {fd, POLLIN, 0};
  int count = 0;
  do {
    count = poll(&readable, 1, kPatience);
  } while (count < 0 && errno == EINTR);
  char byte = 0;
  return count > 0 && sys::read(fd, &byte, 1) == 1;
}

}  // namespace

Result<Companion> Companion::start(const CompanionCall& call) {
  Pipe ready = TRY(make_pipe()), end = TRY(make_pipe()), words = TRY(make_words());
  std::vector<std::string> arguments = call.arguments;
  arguments.insert(arguments.begin() + 1, call.ready_option + std::to_string(ready.write.get()));
  std::vector<int> inherited = call.inherited;
  inherited.push_back(ready.write.get());
  const bool has_keeper = call.end_option.empty();
  if (!has_keeper) {
    arguments.insert(arguments.begin() + 1, call.end_option + std::to_string(end.read.get()));
    inherited.push_back(end.read.get());
  }
  const pid_t pid =
      has_keeper
          ? TRY(spawn_kept(std::move(arguments), inherited, words.write.get(), end.read.get()))
          : TRY(spawn(std::move(arguments), inherited, words.write.get()));
  Companion companion(pid, has_keeper, std::move(end.write), std::move(words.read));
  ready.write.reset();
  if (becomes_ready(ready.read.get())) return companion;
  show(companion.words_.get());
  return state_error(call.arguments[0], " did not start");
}

Companion::~Companion() {
  if (pid_ <= 0) return;
  if (has_keeper_)
    end_.reset();
  else
    (void)kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace onggi::image
