// SPDX-License-Identifier: Apache-2.0
#include "bench/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>

extern char** environ;

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

volatile sig_atomic_t interrupted = 0;

double milliseconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
}

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

void collect(pid_t parent, std::vector<pid_t>& found) {
  const std::string process = "/proc/" + std::to_string(parent) + "/task/";
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(process, gone)) {
    std::istringstream children(read_file(thread.path() / "children"));
    for (pid_t child = 0; children >> child;) {
      found.push_back(child);
      collect(child, found);
    }
  }
}

}  // namespace

Usage& Usage::operator+=(const Usage& other) {
  wall_ms += other.wall_ms;
  cpu_ms += other.cpu_ms;
  faults += other.faults;
  return *this;
}

Usage& Usage::operator-=(const Usage& other) {
  wall_ms -= other.wall_ms;
  cpu_ms -= other.cpu_ms;
  faults -= other.faults;
  return *this;
}

Usage used_by(pid_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  Usage usage;
  // proc(5): in nanoseconds, where `stat` has clock ticks.
  std::istringstream(read_file(process + "/schedstat")) >> usage.cpu_ms;
  usage.cpu_ms /= 1e6;
  const std::string line = read_file(process + "/stat");
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return usage;
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  for (int i = 3; i < 10; i++) fields >> field;
  double minor = 0, of_children = 0, major = 0;
  fields >> minor >> of_children >> major;
  usage.faults = minor + major;
  return usage;
}

Streams::Streams(const std::filesystem::path& directory) : written_(directory / "output") {
  write_file(directory / "input", "");
  descriptors_[0] = open((directory / "input").c_str(), O_RDONLY | O_CLOEXEC);
  descriptors_[1] = open(written_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptors_[0] < 0 || descriptors_[1] < 0) throw Failure("cannot open " + written_.string());
}

Streams::~Streams() {
  for (const int descriptor : descriptors_) (void)close(descriptor);
}

void Streams::take() const {
  for (int i = 0; i < 3; i++) (void)dup2(descriptors_[i == 0 ? 0 : 1], i);
}

std::string Streams::output() const {
  return read_file(written_);
}

void Streams::clear() const {
  (void)!ftruncate(descriptors_[1], 0);
}

void note_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted = 1; };  // no SA_RESTART: waiting ends, too
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) (void)sigaction(signal, &action, nullptr);
}

void check_interrupted() {
  if (interrupted != 0) throw Interrupted();
}

void pause(double time) {
  check_interrupted();
  if (time > 0) (void)usleep(static_cast<useconds_t>(time * 1000));
  check_interrupted();
}

pid_t start(const Words& words, const Streams& streams) {
  std::vector<char*> arguments;
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  (void)posix_spawn_file_actions_init(&files);
  for (int i = 0; i < 3; i++) {
    (void)posix_spawn_file_actions_adddup2(&files, streams.descriptors()[i == 0 ? 0 : 1], i);
  }
  (void)posix_spawnattr_init(&attributes);
  (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = -1;
  const int error =
      posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  (void)posix_spawn_file_actions_destroy(&files);
  (void)posix_spawnattr_destroy(&attributes);
  if (error != 0) throw Failure(words[0] + ": " + strerror(error));
  return child;
}

void fail(const Words& words, int status, const Streams& streams) {
  std::string text;
  for (const std::string& word : words) text += word + " ";
  throw Failure(text + "has failed (status " + std::to_string(status) + ")\n" + streams.output());
}

Usage finish(pid_t child, const Words& words, const Streams& streams) {
  int status = 0;
  rusage usage = {};
  if (wait4(child, &status, 0, &usage) != child) {
    check_interrupted();
    throw Failure("wait4: " + std::string(strerror(errno)));
  }
  // A child gets our own signal until posix_spawn(3) has given it a process group.
  if (status != 0) check_interrupted();
  if (status != 0) fail(words, status, streams);
  return {0, milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime),
          static_cast<double>(usage.ru_minflt + usage.ru_majflt)};
}

Usage run_together(const std::vector<Words>& commands, const Streams& streams) {
  check_interrupted();
  streams.clear();
  std::vector<pid_t> children;
  const auto begin = Clock::now();
  for (const Words& words : commands) children.push_back(start(words, streams));
  Usage usage;
  for (size_t i = 0; i < commands.size(); i++) usage += finish(children[i], commands[i], streams);
  usage.wall_ms = milliseconds_since(begin);
  return usage;
}

Usage run(const Words& words, const Streams& streams) {
  return run_together({words}, streams);
}

std::vector<pid_t> descendants() {
  std::vector<pid_t> found;
  collect(getpid(), found);
  return found;
}

void end_descendants() {
  for (;;) {
    int status = 0;
    const pid_t child = waitpid(-1, &status, WNOHANG | __WALL);
    if (child > 0) {
      // A traced one stops on its way out.
      if (WIFSTOPPED(status)) (void)ptrace(PTRACE_CONT, child, nullptr, 0);
      continue;
    }
    const std::vector<pid_t> left = descendants();
    if (left.empty()) return;
    for (const pid_t pid : left) (void)kill(pid, SIGKILL);
    (void)usleep(1000);
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  file.close();
  if (!file) throw Failure("cannot write " + path.string());
}

}  // namespace bench
