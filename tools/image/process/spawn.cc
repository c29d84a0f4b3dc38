// SPDX-License-Identifier: Apache-2.0
#include "process/spawn.h"

#include <unistd.h>

namespace onggi::image {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& each : texts) all.push_back(each.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

Spawn::Spawn() {
  posix_spawn_file_actions_init(&actions_);
  posix_spawnattr_init(&attributes_);
  // That this program ignores it is not for others: pasta takes it for a failure.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes_, &pipe);
  flags_ |= POSIX_SPAWN_SETSIGDEF;
  posix_spawnattr_setflags(&attributes_, static_cast<short>(flags_));
}

Spawn::~Spawn() {
  posix_spawnattr_destroy(&attributes_);
  posix_spawn_file_actions_destroy(&actions_);
}

void Spawn::open(int fd, const char* path, int flags) {
  posix_spawn_file_actions_addopen(&actions_, fd, path, flags, 0);
}

void Spawn::duplicate(int from, int to) {
  posix_spawn_file_actions_adddup2(&actions_, from, to);
}

void Spawn::set_mask(const sigset_t& mask) {
  posix_spawnattr_setsigmask(&attributes_, &mask);
  flags_ |= POSIX_SPAWN_SETSIGMASK;
  posix_spawnattr_setflags(&attributes_, static_cast<short>(flags_));
}

void Spawn::lead_process_group() {
  flags_ |= POSIX_SPAWN_SETPGROUP;
  posix_spawnattr_setflags(&attributes_, static_cast<short>(flags_));
}

Result<pid_t> Spawn::run(std::vector<std::string> arguments) const {
  return run(arguments, environ);
}

Result<pid_t> Spawn::run(std::vector<std::string> arguments,
                         std::vector<std::string> environment) const {
  return run(arguments, pointers(environment).data());
}

Result<pid_t> Spawn::run(std::vector<std::string>& arguments, char* const* environment) const {
  pid_t pid = 0;
  const int failed = posix_spawnp(&pid, arguments[0].c_str(), &actions_, &attributes_,
                                  pointers(arguments).data(), environment);
  if (failed != 0) return system_error(-failed, "exec", arguments[0]);
  return pid;
}

}  // namespace onggi::image
