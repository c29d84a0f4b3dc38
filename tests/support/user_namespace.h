// SPDX-License-Identifier: Apache-2.0
// What tests of user namespaces and of ordinary users share.
#pragma once

#include "support/bundle.h"
#include "support/run.h"

#include <sys/types.h>

#include <memory>
#include <string>

namespace onggi::test {

// A process in a user namespace of its own, which others join by path.
class UserNamespace {
 public:
  // Lines as in user_namespaces(7). `deny`: setgroups(2) is denied in it.
  UserNamespace(const std::string& uid_map, const std::string& gid_map, bool deny = false);
  ~UserNamespace();
  UserNamespace(const UserNamespace&) = delete;
  UserNamespace& operator=(const UserNamespace&) = delete;
  std::string path() const { return "/proc/" + std::to_string(pid_) + "/ns/user"; }

 private:
  pid_t pid_;
  int end_ = -1;  // closing it ends the process
};

// Makes the bundle one that `user` may run: a user namespace in which he is root, and a root
// filesystem that is his. Its mounts need nothing that his namespaces do not have.
Bundle& give_to(Bundle& bundle, unsigned user);

// Somebody without any right, with a home of his own.
class OrdinaryUser {
 public:
  static constexpr unsigned kUid = 54321;

  OrdinaryUser();
  const std::filesystem::path& home() const { return home_.path(); }
  // The runtime with these arguments, as this user, with his XDG_RUNTIME_DIR.
  Outcome runtime(const Strings& arguments, Spawn spawn = {}) const;
  Spawn as_user(Spawn spawn = {}) const;
  // What is left below XDG_RUNTIME_DIR but empty directories.
  Strings left() const;

 private:
  ScratchDirectory home_;
};

}  // namespace onggi::test
