// SPDX-License-Identifier: Apache-2.0
// Commands that are killed at one of their system calls. ptrace(2) counts the calls of all threads
// and processes; the call at which SIGKILL comes is not made. The store is in memory, where
// fsync(2) costs nothing.
#pragma once

#include "image_fixture.h"

#include <functional>
#include <string>
#include <vector>

namespace onggi::image::test {

// A directory in memory for a store and what comes into it.
class MemoryPlace {
 public:
  MemoryPlace();
  ~MemoryPlace();
  MemoryPlace(const MemoryPlace&) = delete;
  MemoryPlace& operator=(const MemoryPlace&) = delete;

  // onggi-image with its store here.
  std::vector<std::string> command(std::vector<std::string> words) const;
  // What it prints; the test fails if it does.
  std::string must(const std::vector<std::string>& words) const;
  // The store is what `saved` is, a directory here; empty: there is none.
  void reset_to(const std::string& saved) const;
  // Of all files of the store, sorted.
  std::string names() const;

  std::string path;

 private:
  Scratch scratch_;
};

// Between two calls that change something on the disk a kill leaves what it leaves at the second.
enum class Calls { changing, other };

struct KilledRun {
  bool was_killed = false;  // else it ended with status 0
  unsigned changing = 0, other = 0;
};
// Until call number `at` of its kind begins. Every process of the command has ended then.
KilledRun run_and_kill(const std::vector<std::string>& words, Calls kind, unsigned at);

struct KillPlan {
  std::string saved = {};  // what each run begins with
  std::vector<std::string> words;
  unsigned most_other = 0;  // so many kills at calls that change nothing, spread evenly over them
};
struct Kills {
  unsigned at_changes = 0, at_others = 0;
};
// Kills at every change, then lets `after` look.
Kills kill_everywhere(const MemoryPlace& place, const KillPlan& plan,
                      const std::function<void()>& after);

}  // namespace onggi::image::test
