// SPDX-License-Identifier: Apache-2.0
// posix_spawnp(3), with what is to be different in the new process.
#pragma once

#include "base/result.h"

#include <signal.h>
#include <spawn.h>

#include <string>
#include <vector>

namespace onggi::image {

class Spawn {
 public:
  Spawn();
  ~Spawn();
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  // In this order; nothing else is inherited but what is not closed by exec.
  void open(int fd, const char* path, int flags);
  // Of one to itself: it is not closed by exec (posix_spawn_file_actions_adddup2(3)).
  void duplicate(int from, int to);
  void set_mask(const sigset_t& mask);
  void lead_process_group();

  // The first of `arguments` is the program, looked up in $PATH; without an environment it has
  // ours.
  Result<pid_t> run(std::vector<std::string> arguments) const;
  Result<pid_t> run(std::vector<std::string> arguments, std::vector<std::string> environment) const;

 private:
  Result<pid_t> run(std::vector<std::string>& arguments, char* const* environment) const;

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
  int flags_ = 0;
};

}  // namespace onggi::image
