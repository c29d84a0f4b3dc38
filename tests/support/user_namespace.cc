// SPDX-License-Identifier: Apache-2.0
#include "support/user_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace onggi::test {

namespace fs = std::filesystem;

UserNamespace::UserNamespace(const std::string& uid_map, const std::string& gid_map, bool deny) {
  int made[2], end[2];
  if (pipe2(made, O_CLOEXEC) != 0 || pipe2(end, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  pid_ = fork();
  if (pid_ == 0) {
    char byte = 0;
    const bool unshared = unshare(CLONE_NEWUSER) == 0;
    close(end[1]);
    if (unshared && write(made[1], &byte, 1) == 1) (void)!read(end[0], &byte, 1);
    _exit(0);
  }
  close(made[1]);
  close(end[0]);
  char byte = 0;
  const bool ready = read(made[0], &byte, 1) == 1;
  close(made[0]);
  end_ = end[1];
  if (!ready) throw std::runtime_error("unshare");
  const fs::path process = "/proc/" + std::to_string(pid_);
  if (deny) write_file(process / "setgroups", "deny");
  write_file(process / "gid_map", gid_map);
  write_file(process / "uid_map", uid_map);
}

UserNamespace::~UserNamespace() {
  close(end_);
  waitpid(pid_, nullptr, 0);
}

Bundle& give_to(Bundle& bundle, unsigned user) {
  if (chown(bundle.path().c_str(), user, user) != 0 ||
      chown(bundle.rootfs().c_str(), user, user) != 0) {
    throw std::runtime_error("chown");
  }
  bundle.set_namespace("user")
      .set_json("/linux/uidMappings", mapping(0, user, 1))
      .set_json("/linux/gidMappings", mapping(0, user, 1));
  // The group of terminals is not mapped.
  return bundle.drop_mount("/dev/pts")
      .add_mount("/dev/pts", "devpts", "devpts",
                 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"});
}

OrdinaryUser::OrdinaryUser() : home_("home") {
  fs::create_directory(home() / "run");
  for (const fs::path& path : {home(), home() / "run"}) {
    if (chown(path.c_str(), kUid, kUid) != 0) throw std::runtime_error("chown");
  }
}

Spawn OrdinaryUser::as_user(Spawn spawn) const {
  spawn.user = kUid;
  if (spawn.directory.empty()) spawn.directory = home().string();
  spawn.environment.push_back("XDG_RUNTIME_DIR=" + (home() / "run").string());
  return spawn;
}

Outcome OrdinaryUser::runtime(const Strings& arguments, Spawn spawn) const {
  Strings argv = {runtime_path()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run_program(argv, as_user(std::move(spawn)));
}

Strings OrdinaryUser::left() const {
  Strings found;
  for (const auto& entry : fs::recursive_directory_iterator(home() / "run")) {
    // The state root itself stays.
    if (entry.path().parent_path() != home() / "run") found.push_back(entry.path().string());
  }
  return found;
}

}  // namespace onggi::test
