// SPDX-License-Identifier: Apache-2.0
#include "support/run.h"

#include "support/leaks.h"
#include "support/suite.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <sstream>
#include <stdexcept>

namespace onggi::test {
namespace {

// Far above what any command needs even on a loaded machine: it ends a hang, it measures nothing.
constexpr int kTimeLimitMs = 60'000;  // times time_scale()
constexpr int kPollMs = 2;

Strings fixed_environment(const Strings& additions) {
  const Strings fixed = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "HOME=/root", "LANG=C", "XDG_RUNTIME_DIR=" + state_root().string()};
  Strings environment = additions;
  for (const std::string& entry : fixed) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    const auto given = [&](const std::string& other) { return other.starts_with(name); };
    if (std::none_of(additions.begin(), additions.end(), given)) environment.push_back(entry);
  }
  return environment;
}

std::vector<char*> pointers(const Strings& words) {
  std::vector<char*> result;
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void child_failed(const char* step) {
  dprintf(STDERR_FILENO, "harness: %s: %s\n", step, strerror(errno));
  _exit(126);
}

// In the child. Descriptors are first moved out of the way of 0..3+N, then to their places. Those
// that the harness itself was started with are nobody's.
void arrange_descriptors(const Spawn& spawn, int input, int out, int err) {
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) child_failed("close_range");
  std::vector<int> wanted = {input, out, err};
  if (spawn.terminal >= 0) {
    setsid();
    if (ioctl(spawn.terminal, TIOCSCTTY, 0) != 0) child_failed("TIOCSCTTY");
    wanted = {spawn.terminal, spawn.terminal, spawn.terminal};
  }
  wanted.insert(wanted.end(), spawn.extra_fds.begin(), spawn.extra_fds.end());
  const int room = static_cast<int>(wanted.size()) + 10;
  for (int& fd : wanted) {
    fd = fcntl(fd, F_DUPFD_CLOEXEC, room);
    if (fd < 0) child_failed("dup");
  }
  for (size_t i = 0; i < wanted.size(); i++) {
    if (dup2(wanted[i], static_cast<int>(i)) < 0) child_failed("dup2");
  }
  for (const int fd : spawn.closed) close(fd);
}

// The allowed calls end at the last instruction; a filter is a list of tests with short jumps.
void refuse(const std::vector<Refusal>& refusals) {
  std::vector<sock_filter> program;
  for (const Refusal& refusal : refusals) {
    const bool any = refusal.argument < 0;
    const auto skipped = static_cast<uint8_t>(any ? 1 : 3);
    const auto errnum = static_cast<uint32_t>(refusal.errnum);
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(refusal.call), 0, skipped));
    if (!any) {
      const auto offset =
          offsetof(seccomp_data, args) + sizeof(uint64_t) * static_cast<size_t>(refusal.argument);
      program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
      program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refusal.value, 0, 1));
    }
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | errnum));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
    child_failed("seccomp");
}

[[noreturn]] void become(const Strings& argv, const Spawn& spawn,
                         const std::vector<char*>& environment, int input, int out, int err) {
  arrange_descriptors(spawn, input, out, err);
  if (!spawn.directory.empty() && chdir(spawn.directory.c_str()) != 0) child_failed("chdir");
  if (spawn.user.has_value()) {
    const gid_t group = *spawn.user;
    if (setgroups(0, nullptr) != 0 || setgid(group) != 0 || setuid(*spawn.user) != 0)
      child_failed("setuid");
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!spawn.refused.empty()) refuse(spawn.refused);
  execve(argv[0].c_str(), pointers(argv).data(), environment.data());
  child_failed("execve");
}

int exit_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

std::string join(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

}  // namespace

Capture::Capture() : fd_(memfd_create("output", MFD_CLOEXEC)) {
  if (fd_ < 0) throw std::runtime_error("memfd_create");
  // Writers share the offset only through dup; O_APPEND keeps a re-opened descriptor from
  // overwriting.
  if (fcntl(fd_, F_SETFL, O_APPEND) != 0) throw std::runtime_error("fcntl");
}

Capture::~Capture() {
  close(fd_);
}

std::string Capture::text() const {
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while ((got = pread(fd_, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0) {
    text.append(buffer, static_cast<size_t>(got));
  }
  return text;
}

Process::Process(const Strings& argv, const Spawn& spawn)
    : name_(join(argv)),
      out_(spawn.out ? spawn.out : std::make_shared<Capture>()),
      err_(spawn.err ? spawn.err : std::make_shared<Capture>()) {
  stop_listing();
  // Not /dev/null: some runtimes change the owner of the standard streams.
  const Capture input;
  if (write(input.fd(), spawn.input.data(), spawn.input.size()) < 0)
    throw std::runtime_error("write input");
  lseek(input.fd(), 0, SEEK_SET);
  const Strings environment = fixed_environment(spawn.environment);
  const std::vector<char*> environment_pointers = pointers(environment);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) become(argv, spawn, environment_pointers, input.fd(), out_->fd(), err_->fd());
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

Process::~Process() {
  if (pid_ > 0) {
    kill(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (pidfd_ >= 0) close(pidfd_);
}

void Process::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

Outcome Process::wait() {
  pollfd ended = {pidfd_, POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&ended, 1, kTimeLimitMs * time_scale());
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    kill(SIGKILL);
    ADD_FAIL_CHECK_AT(__FILE__, __LINE__, "killed after the time limit: " << name_);
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  Outcome outcome = {exit_status(status), out_->text(), err_->text()};
  if (!outcome.ok()) last_failed_process() = {name_, outcome};
  return outcome;
}

std::optional<FailedProcess>& last_failed_process() {
  static std::optional<FailedProcess> process;
  return process;
}

Outcome run_program(const Strings& argv, const Spawn& spawn) {
  return Process(argv, spawn).wait();
}

const std::string& runtime_path() {
  static const std::string path = [] {
    const char* given = getenv("ONGGI_RUNTIME");
    return std::filesystem::absolute(given != nullptr && *given != 0 ? given
                                                                     : ONGGI_DEFAULT_RUNTIME)
        .string();
  }();
  return path;
}

const std::string& runtime_version() {
  static const std::string line = [] {
    const std::string version = run_program({runtime_path(), "--version"}).out;
    return version.substr(0, version.find('\n'));
  }();
  return line;
}

const std::string& runtime_name() {
  static const std::string name = runtime_version().substr(0, runtime_version().find(' '));
  return name;
}

const std::filesystem::path& state_root() {
  static const ScratchDirectory directory("state");
  return directory.path();
}

const Strings& runtime_options() {
  static const Strings options = [] {
    const char* given = getenv("ONGGI_RUNTIME_OPTIONS");
    std::istringstream words(given == nullptr ? "" : given);
    Strings split;
    for (std::string word; words >> word;) split.push_back(word);
    return split;
  }();
  return options;
}

Strings runtime_command(const Strings& arguments) {
  Strings argv = {runtime_path()};
  for (const Strings& words : {runtime_options(), {"--root", state_root().string()}, arguments})
    argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

Outcome runtime(const Strings& arguments, const Spawn& spawn) {
  return run_program(runtime_command(arguments), spawn);
}

int time_scale() {
  static const int scale = [] {
    const char* value = getenv("ONGGI_TIME_SCALE");
    return value == nullptr ? 1 : std::clamp(atoi(value), 1, 20);
  }();
  return scale;
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::milliseconds(kTimeLimitMs / 2 * time_scale());
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    poll(nullptr, 0, kPollMs);
  }
}

Container::Container(const Bundle& bundle, Strings global_options)
    : bundle_(bundle), global_options_(std::move(global_options)) {
  static int count = 0;
  id_ = tag() + "-" + std::to_string(++count);
}

Container::~Container() {
  if (std::filesystem::exists(state_root() / id_)) (void)remove(true);
}

Strings Container::create_command(const Strings& options) const {
  Strings arguments = global_options_;
  for (const std::string& word : Strings{"create", "--bundle", bundle_.path().string()})
    arguments.push_back(word);
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(id_);
  return runtime_command(arguments);
}

Outcome Container::create(const Strings& options, Spawn spawn) {
  bundle_.write();
  out_ = spawn.out = std::make_shared<Capture>();
  err_ = spawn.err = std::make_shared<Capture>();
  return run_program(create_command(options), spawn);
}

Outcome Container::run(const Strings& options, Spawn spawn) {
  bundle_.write();
  if (!spawn.out) spawn.out = std::make_shared<Capture>();
  if (!spawn.err) spawn.err = std::make_shared<Capture>();
  out_ = spawn.out;
  err_ = spawn.err;
  Strings arguments = global_options_;
  for (const std::string& word : Strings{"run", "--bundle", bundle_.path().string()})
    arguments.push_back(word);
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.push_back(id_);
  return runtime(arguments, spawn);
}

Outcome Container::update(const std::string& resources) const {
  Spawn spawn;
  spawn.input = resources;
  return runtime({"update", "--resources", "-", id_}, spawn);
}

Outcome Container::remove(bool force) const {
  return force ? runtime({"delete", "--force", id_}) : runtime({"delete", id_});
}

rapidjson::Document Container::document() const {
  const Outcome outcome = state();
  return outcome.ok() ? parse_json(outcome.out) : rapidjson::Document(rapidjson::kObjectType);
}

std::string Container::status() const {
  const rapidjson::Document state = document();
  return state.HasMember("status") ? state["status"].GetString() : "";
}

pid_t Container::pid() const {
  const rapidjson::Document state = document();
  return state.HasMember("pid") ? state["pid"].GetInt() : 0;
}

bool Container::wait_output(std::string_view text) const {
  return eventually([&] { return contains(output(), text); });
}

bool Container::wait_status(std::string_view wanted) const {
  return eventually([&] { return status() == wanted; });
}

int Container::wait_exit(pid_t pid) const {
  int result = -1;
  (void)eventually([&] {
    int status = 0;
    if (waitpid(pid, &status, WNOHANG) == pid) result = exit_status(status);
    return result >= 0;
  });
  return result;
}

Outcome run(const Bundle& bundle, const Spawn& spawn) {
  return Container(bundle).run({}, spawn);
}

Outcome create(const Bundle& bundle) {
  return Container(bundle).create();
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

Strings lines(std::string_view text) {
  Strings result;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    result.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string value_of(std::string_view text, std::string_view key) {
  for (const std::string& line : lines(text)) {
    if (line == key) return "";
    if (line.starts_with(key) && line[key.size()] == ' ') return line.substr(key.size() + 1);
  }
  return "<none>";
}

rapidjson::Document parse_json(std::string_view text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError()) document.SetObject();
  return document;
}

}  // namespace onggi::test
