// SPDX-License-Identifier: Apache-2.0
// Processes that are measured. Each runs in a process group of its own, so that Ctrl-C reaches us
// alone and we take back what has begun; its standard files are ours, because old versions of crun
// change the owner of theirs.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

using Words = std::vector<std::string>;

struct Failure : std::runtime_error {
  using runtime_error::runtime_error;
};
// A terminating signal has come.
struct Interrupted : std::runtime_error {
  Interrupted() : runtime_error("interrupted") {}
};

struct Usage {
  double wall_ms = 0;
  double cpu_ms = 0;  // user and system, of the process and of what it has waited for
  double faults = 0;  // page faults, counted likewise

  Usage& operator+=(const Usage& other);
  Usage& operator-=(const Usage& other);
};

// What a living process has used so far, without wall time; nothing if it is gone.
Usage used_by(pid_t pid);

class Streams {
 public:
  explicit Streams(const std::filesystem::path& directory);
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  ~Streams();
  // In the child, before execve.
  void take() const;
  // What the processes have written since the last call of clear().
  std::string output() const;
  void clear() const;
  const int* descriptors() const { return descriptors_; }

 private:
  std::filesystem::path written_;
  int descriptors_[2];  // stdin; stdout and stderr
};

// From here on terminating signals are noted, and check_interrupted() throws once one has come.
void note_signals();
void check_interrupted();
// Throws Interrupted as soon as a signal comes.
void pause(double milliseconds);

pid_t start(const Words& words, const Streams& streams);
// Waits for its end. Throws Failure, with what was written, unless it has succeeded.
Usage finish(pid_t child, const Words& words, const Streams& streams);
Usage run(const Words& words, const Streams& streams);
// All at once; wall time is that of them together.
Usage run_together(const std::vector<Words>& commands, const Streams& streams);
[[noreturn]] void fail(const Words& words, int status, const Streams& streams);

std::vector<pid_t> descendants();
// Kills them all and waits until they are gone.
void end_descendants();

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace bench
