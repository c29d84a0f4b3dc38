// SPDX-License-Identifier: Apache-2.0
// Started like onggi-init, from a memfd by a child that borrows our memory; the request is a sealed
// memfd on its standard input, the answer comes through a pipe (base/answer.h).
#include "linux/companion.h"

#include "base/answer.h"
#include "linux/sealed_init.h"
#include "linux/waiting.h"

#include <linux/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace onggi {
namespace {

Result<UniqueFd> open_program(const EmbeddedProgram& program) {
  Result<UniqueFd> memfd = make_sealed_memfd(program.name, program.bytes(), true);
  if (memfd || memfd.error().errnum != EACCES) return memfd;
  // Nothing of a container ever sees it, so that the installed file will do as it is.
  const long opened = sys::openat(AT_FDCWD, program.installed, O_RDONLY);
  if (opened >= 0) return UniqueFd(opened);
  return with_hint(
      system_error(opened, "open", program.installed),
      text<160>("the sysctl vm.memfd_noexec=2 forbids executable memfds: install ", program.name)
          .view());
}

Result<UniqueFd> make_input(std::string_view request) {
  UniqueFd input = TRY(make_sealed_memfd("request", request, false));
  const long at = sys::call(SYS_lseek, input.get(), 0, SEEK_SET);
  if (at < 0) return system_error(at, "lseek", "request");
  return input;
}

// What the child needs, on the parent's stack.
struct ChildEntry {
  const char* name;
  int program, input, output;
  int parent;
};

[[noreturn]] void execute(void* argument) {
  const auto& entry = *static_cast<const ChildEntry*>(argument);
  // A call that outlives us could make a unit that nobody knows of.
  (void)sys::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (sys::call(SYS_getppid) != entry.parent) sys::exit_group(1);
  (void)sys::dup3(entry.input, STDIN_FILENO, 0);
  (void)sys::dup3(entry.output, STDOUT_FILENO, 0);
  char* const argv[] = {const_cast<char*>(entry.name), nullptr};
  // With our environment, which says where systemd's buses are.
  (void)sys::execveat(entry.program, "", argv, environ, AT_EMPTY_PATH);
  sys::exit_group(1);
}

}  // namespace

Result<CompanionCall> CompanionCall::start(const EmbeddedProgram& program,
                                           std::string_view request) {
  const UniqueFd executable = TRY(open_program(program));
  const UniqueFd input = TRY(make_input(request));
  int pipe[2];
  const long piped = sys::call(SYS_pipe2, &pipe[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  UniqueFd ours(pipe[0]);
  const UniqueFd theirs(pipe[1]);
  ChildEntry entry{.name = program.name,
                   .program = executable.get(),
                   .input = input.get(),
                   .output = theirs.get(),
                   .parent = static_cast<int>(sys::getpid())};
  Child child = TRY(clone_borrowing({}, execute, &entry));
  return CompanionCall(program, std::move(child), std::move(ours));
}

CompanionCall::~CompanionCall() {
  if (child_.pidfd) (void)end();
}

// It has nothing to do but to answer, so that it may be ended as soon as it has. Its wait status.
int CompanionCall::end() {
  (void)sys::pidfd_send_signal(child_.pidfd.get(), SIGKILL);
  int status = 0;
  (void)sys::retry(SYS_wait4, child_.pid, &status, 0, nullptr);
  child_.pidfd.reset();
  return status;
}

// False: it has ended before.
Result<bool> CompanionCall::read_fully(char* to, size_t size, int signals) {
  const Waiting waiting{.process = child_.pidfd.get(), .signals = signals};
  for (size_t done = 0; done < size;) {
    if (TRY(wait_readable(answer_.get(), waiting)) == Waited::ended) return false;
    const long count = sys::read(answer_.get(), to + done, size - done);
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

Error CompanionCall::no_answer() {
  const int status = end();
  Error error = make_error(ErrorKind::system, program_->name, " exited without an answer");
  if (WIFEXITED(status)) error.message.append(": exit status ", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) error.message.append(": ended by signal ", WTERMSIG(status));
  return with_hint(error, program_->needs);
}

Result<std::string> CompanionCall::wait(int signals) {
  Answer answer;
  if (!TRY(read_fully(reinterpret_cast<char*>(&answer), sizeof answer, signals)))
    return no_answer();
  if (answer.failed != 0) return answer.error;
  std::string bytes(answer.size, '\0');
  if (!TRY(read_fully(bytes.data(), bytes.size(), signals))) return no_answer();
  return bytes;
}

}  // namespace onggi
