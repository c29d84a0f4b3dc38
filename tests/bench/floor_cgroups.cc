// SPDX-License-Identifier: Apache-2.0
// No process is moved by another one, which would wait for an RCU grace period: v2 is entered at
// birth, and on v1 a process writes itself to `tasks`.
#include "bench/floor.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <initializer_list>

namespace floor_program {
namespace {

constexpr const char* kRoot = "/sys/fs/cgroup";
constexpr const char* kDeviceRules[] = {"c *:* m",   "b *:* m",   "c 1:3 rwm",    "c 1:5 rwm",
                                        "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm",    "c 5:0 rwm",
                                        "c 5:1 rwm", "c 5:2 rwm", "c 10:200 rwm", "c 136:* rwm"};

int open_file(const char* directory, const char* name, int flags) {
  char path[kPathSize];
  path_of(path, directory, name);
  return must(path, open(path, flags | O_CLOEXEC));
}

void write_file(const char* directory, const char* name, const char* text) {
  const int fd = open_file(directory, name, O_WRONLY);
  must(name, write(fd, text, strlen(text)));
  (void)close(fd);
}

// A new cpuset is empty, and takes no process.
void fill_cpuset(const char* path) {
  for (const char* name : {"cpuset.cpus", "cpuset.mems"}) {
    char value[256] = {};
    const int fd = open_file("/sys/fs/cgroup/cpuset", name, O_RDONLY);
    must(name, read(fd, value, sizeof value - 1));
    (void)close(fd);
    write_file(path, name, value);
  }
}

void set_device_rules(const char* path) {
  write_file(path, "devices.deny", "a");
  const int fd = open_file(path, "devices.allow", O_WRONLY);
  for (const char* rule : kDeviceRules) must(rule, write(fd, rule, strlen(rule)));
  (void)close(fd);
}

void make_directory(const char* path) {
  must(path, mkdir(path, 0755));
}

struct Controller {
  const char* name;
  void (*set_up)(const char* path);
};
constexpr Controller kControllers[] = {
    {"blkio", nullptr},   {"cpu", nullptr},        {"cpu,cpuacct", nullptr},
    {"cpuacct", nullptr}, {"cpuset", fill_cpuset}, {"devices", set_device_rules},
    {"freezer", nullptr}, {"hugetlb", nullptr},    {"memory", nullptr},
    {"net_cls", nullptr}, {"perf_event", nullptr}, {"pids", nullptr},
    {"systemd", nullptr},
};

bool is_mounted(const char* name, long type) {
  char path[kPathSize];
  path_of(path, kRoot, name);
  struct statfs info = {};
  return statfs(path, &info) == 0 && info.f_type == type;
}

}  // namespace

void Groups::add(const char* name, bool v2, void (*made)(const char* path)) {
  Hierarchy& hierarchy = hierarchies_[count_++];
  hierarchy.name = name;
  hierarchy.v2 = v2;
  char directory[kPathSize];
  path_of(directory, kRoot, name);
  path_of(hierarchy.path, directory, id_);
  if (made != nullptr) made(hierarchy.path);
  if (v2) unified_ = must(hierarchy.path, open(hierarchy.path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

void Groups::set_up(void (*made)(const char* path)) {
  if (is_mounted("", CGROUP2_SUPER_MAGIC)) return add("", true, made);
  for (const Controller& controller : kControllers) {
    if (!is_mounted(controller.name, CGROUP_SUPER_MAGIC)) continue;
    add(controller.name, false, made);
    if (made != nullptr && controller.set_up != nullptr) {
      controller.set_up(hierarchies_[count_ - 1].path);
    }
  }
  if (is_mounted("unified", CGROUP2_SUPER_MAGIC)) add("unified", true, made);
}

void Groups::make() {
  set_up(make_directory);
}

void Groups::find() {
  set_up(nullptr);
}

void Groups::join() {
  for (int i = 0; i < count_; i++) {
    if (!hierarchies_[i].v2) write_file(hierarchies_[i].path, "tasks", "0");
  }
}

void Groups::show() const {
  constexpr unsigned long kFlags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  constexpr unsigned long kReadOnly = MS_BIND | MS_REMOUNT | MS_RDONLY | kFlags;
  constexpr const char* kTarget = "sys/fs/cgroup";
  const bool alone = hierarchies_[0].v2;
  if (!alone) must(kTarget, mount("tmpfs", kTarget, "tmpfs", kFlags, "mode=755"));
  for (int i = 0; i < count_; i++) {
    const Hierarchy& hierarchy = hierarchies_[i];
    if (hierarchy.v2 && !alone) continue;
    char target[kPathSize];
    path_of(target, kTarget, hierarchy.name);
    if (!alone) must(target, mkdir(target, 0755));
    must(target, mount(hierarchy.path, target, nullptr, MS_BIND | MS_REC, nullptr));
    must(target, mount(nullptr, target, nullptr, kReadOnly, nullptr));
  }
  if (!alone) must(kTarget, mount(nullptr, kTarget, nullptr, kReadOnly, nullptr));
}

// The last process may be counted for a moment after its end.
void Groups::remove() {
  for (int i = 0; i < count_; i++) {
    const char* path = hierarchies_[i].path;
    for (int attempt = 0; rmdir(path) != 0; attempt++) {
      if (errno != EBUSY || attempt == 10'000) fail(path);
      (void)usleep(100);
    }
  }
}

}  // namespace floor_program
