// SPDX-License-Identifier: Apache-2.0
#include "bench/session.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCgroups = "/sys/fs/cgroup";

std::vector<fs::path> tagged_directories(const std::string& tag) {
  std::vector<fs::path> found;
  std::error_code error;
  fs::recursive_directory_iterator walk(kCgroups, fs::directory_options::skip_permission_denied,
                                        error);
  for (; walk != fs::recursive_directory_iterator(); walk.increment(error)) {
    if (error || !walk->is_directory(error) || walk->is_symlink(error)) continue;
    if (walk->path().string().find(tag) != std::string::npos) found.push_back(walk->path());
  }
  return found;
}

}  // namespace

// State roots are in memory, like /run.
void Session::make_private_mounts() {
  const bool done = unshare(CLONE_NEWNS) == 0 &&
                    mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    mount("bench", directory_.c_str(), "tmpfs", 0, "mode=755") == 0;
  if (!done) throw Failure("cannot have mounts of our own: " + std::string(strerror(errno)));
}

Session::Session() : tag_("bench" + std::to_string(getpid())) {
  (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::string name = fs::temp_directory_path() / "onggi-bench.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw Failure("cannot make " + name);
  directory_ = name;
  try {
    make_private_mounts();
    streams_ = std::make_unique<Streams>(directory_);
    bundles_ = std::make_unique<Bundles>(directory_);
  } catch (...) {
    (void)umount2(directory_.c_str(), MNT_DETACH);
    (void)rmdir(directory_.c_str());
    throw;
  }
}

Session::~Session() {
  end_descendants();
  remove_cgroups();
  bundles_.reset();
  streams_.reset();
  (void)umount2(directory_.c_str(), MNT_DETACH);
  (void)rmdir(directory_.c_str());
}

Container Session::container(const fs::path& bundle, bool by_systemd) {
  const std::string id = tag_ + "-" + std::to_string(containers_++);
  return {id, bundle, directory_ / (id + ".pid"), by_systemd};
}

void Session::add_other(const Subject& subject, const fs::path& bundle) {
  const fs::path place = directory_ / "others" / std::to_string(others_.size());
  others_.push_back(place);
  fs::create_directories(place / "root");
  fs::create_directory(place / "shm");
  if (mount(root_of(bundle).c_str(), (place / "root").c_str(), nullptr, MS_BIND, nullptr) != 0 ||
      mount("shm", (place / "shm").c_str(), "tmpfs", 0, "size=64000k") != 0) {
    throw Failure("cannot mount at " + place.string());
  }
  (void)run(*command_of(subject, Verb::launch, container(bundle)), streams());
}

void Session::remove_cgroups() const {
  for (int attempt = 0; attempt < 500; attempt++) {
    std::vector<fs::path> left = tagged_directories(tag_);
    if (left.empty()) return;
    std::sort(left.rbegin(), left.rend());  // what is inside, first
    for (const fs::path& path : left) (void)rmdir(path.c_str());
    if (attempt > 0) (void)usleep(10'000);
  }
}

void Session::unmount_others() {
  for (const fs::path& place : others_) {
    for (const char* name : {"root", "shm"}) (void)umount2((place / name).c_str(), MNT_DETACH);
    fs::remove_all(place);
  }
  others_.clear();
}

void Session::sweep(const std::vector<Subject>& subjects) {
  end_descendants();
  remove_cgroups();
  unmount_others();
  for (const Subject& subject : subjects) {
    // Kept for a crowd (src/linux/empty_mounts.h), none of which was deleted.
    (void)umount2((subject.root / "@mounts").c_str(), MNT_DETACH);
    fs::remove_all(subject.root);
    fs::create_directories(subject.root);
  }
}

}  // namespace bench
