// SPDX-License-Identifier: Apache-2.0
// A child process with a pipe; its standard error is the user's.
#include "registry/credential_helper.h"

#include "base/fd.h"
#include "base/file.h"
#include "model/json.h"
#include "registry/clock.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace onggi::image {

namespace {

constexpr size_t kAnswerLimit = 64 * 1024;

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error(-errno, "pipe2");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// A file and no pipe: a helper that ends without reading it must not end us by SIGPIPE.
Result<UniqueFd> make_input(std::string_view server) {
  const long made = sys::memfd_create("server", MFD_CLOEXEC);
  if (made < 0) return system_error(made, "memfd_create");
  UniqueFd file(made);
  TRY(write_all(file.get(), "server", server));
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
    return status;
  }

 private:
  pid_t pid_;
};

Result<pid_t> start(const std::string& program, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  std::string name = program, command = "get";
  char* const arguments[] = {name.data(), command.data(), nullptr};
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, name.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return with_hint(system_error(-failed, "exec", program),
                     "credHelpers or credsStore of the user's configuration names it");
  }
  return pid;
}

Result<std::string> read_until(int fd, const std::string& program, long seconds) {
  std::string text;
  SystemClock clock;
  const int64_t end = clock.milliseconds() + int64_t{seconds} * 1000;
  while (true) {
    pollfd readable = {fd, POLLIN, 0};
    const int64_t left = end - clock.milliseconds();
    const int count = left <= 0 ? 0 : poll(&readable, 1, static_cast<int>(left));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return make_error(ErrorKind::state, program, " gave no answer in ", seconds, " seconds");
    }
    char buffer[4096];
    const long size = sys::read(fd, buffer, sizeof buffer);
    if (size < 0) return system_error(size, "read", program);
    if (size == 0) return text;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() > kAnswerLimit) {
      return make_error(ErrorKind::state, program, " writes more than ", kAnswerLimit, " bytes");
    }
  }
}

}  // namespace

Result<std::optional<Credentials>> ask_credential_helper(std::string_view name,
                                                         std::string_view server, long seconds) {
  if (name.empty() || name.find('/') != name.npos) {
    return make_error(ErrorKind::invalid_config, "'", name, "' is not a credential helper's name");
  }
  const std::string program = "docker-credential-" + std::string(name);
  const UniqueFd input = TRY(make_input(std::string(server) + "\n"));
  Pipe output = TRY(make_pipe());
  Child child(TRY(start(program, input.get(), output.write.get())));
  output.write.reset();
  const std::string answer = TRY(read_until(output.read.get(), program, seconds));
  const int status = child.wait();
  if (status != 0) {
    if (answer.find("credentials not found") != answer.npos) return std::optional<Credentials>();
    return make_error(ErrorKind::state, program, " fails for ", server);
  }
  rapidjson::Document json;
  TRY(parse_json_object(answer, program + "'s answer", kAnswerLimit, json));
  Credentials found = {std::string(text_member(json, "Username")), {}, {}};
  std::string& secret = found.user == "<token>" ? found.identity_token : found.password;
  secret = text_member(json, "Secret");
  return std::optional(std::move(found));
}

}  // namespace onggi::image
