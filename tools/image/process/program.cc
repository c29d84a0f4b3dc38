// SPDX-License-Identifier: Apache-2.0
// posix_spawn(3) with a file for input and a pipe for output.
#include "process/program.h"

#include "base/fd.h"
#include "base/file.h"
#include "process/pipe.h"
#include "process/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace onggi::image {
namespace {

// A file and no pipe: a program that ends without reading it must not end us by SIGPIPE.
Result<UniqueFd> make_input(std::string_view text) {
  const long made = sys::memfd_create("input", MFD_CLOEXEC);
  if (made < 0) return system_error(made, "memfd_create");
  UniqueFd file(made);
  TRY(write_all(file.get(), "input", text));
  if (lseek(file.get(), 0, SEEK_SET) != 0) return system_error(-errno, "lseek");
  return file;
}

// Ends the process if it still runs.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    (void)kill(pid_, SIGKILL);
    (void)wait();
  }
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

 private:
  pid_t pid_;
};

// The first of two variables with one name counts for getenv(3) and for Go programs alike.
std::vector<std::string> environment_of(const ProgramCall& call) {
  std::vector<std::string> all = call.environment;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view variable = *each;
    bool is_replaced = false;
    for (const std::string& mine : call.environment) {
      is_replaced |= variable.starts_with(std::string_view(mine).substr(0, mine.find('=') + 1));
    }
    if (!is_replaced) all.emplace_back(variable);
  }
  return all;
}

Result<pid_t> start(const ProgramCall& call, int input, int output) {
  Spawn process;
  process.duplicate(input, STDIN_FILENO);
  process.duplicate(output, STDOUT_FILENO);
  if (call.is_quiet) process.open(STDERR_FILENO, "/dev/null", O_WRONLY);
  if (call.leads_process_group) process.lead_process_group();
  return process.run(call.arguments, environment_of(call));
}

int64_t milliseconds() {
  timespec now = {};
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

Result<std::string> read_until_end(int fd, const ProgramCall& call) {
  const std::string& program = call.arguments[0];
  std::string text;
  const int64_t end = milliseconds() + int64_t{call.seconds} * 1000;
  while (true) {
    pollfd readable = {fd, POLLIN, 0};
    const int64_t left = end - milliseconds();
    const int count = left <= 0 ? 0 : poll(&readable, 1, static_cast<int>(left));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0)
      return state_error(program, " did not answer within ", call.seconds, " seconds");
    char buffer[4096];
    const long size = sys::read(fd, buffer, sizeof buffer);
    if (size < 0) return system_error(size, "read", program);
    if (size == 0) return text;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() > call.limit)
      return state_error(program, " wrote more than ", call.limit, " bytes");
  }
}

}  // namespace

Result<ProgramAnswer> call_program(const ProgramCall& call) {
  const UniqueFd input = TRY(make_input(call.input));
  Pipe output = TRY(make_pipe());
  Child child(TRY(start(call, input.get(), output.write.get())));
  output.write.reset();
  ProgramAnswer answer;
  answer.output = TRY(read_until_end(output.read.get(), call));
  answer.status = child.wait();
  return answer;
}

}  // namespace onggi::image
