// SPDX-License-Identifier: Apache-2.0
// The cgroups of the floor's container: one directory named like it in each hierarchy of the host.
#pragma once
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace floor_program {

constexpr size_t kPathSize = 512;

[[noreturn]] inline void fail(const char* what) {
  (void)dprintf(2, "floor: %s: %s\n", what, strerror(errno));
  _exit(1);
}

template <class Number>
Number must(const char* what, Number result) {
  if (result < 0) fail(what);
  return result;
}

// directory/name
inline void path_of(char (&path)[kPathSize], const char* directory, const char* name) {
  if (snprintf(path, kPathSize, "%s/%s", directory, name) >= static_cast<int>(kPathSize))
    fail(name);
}

class Groups {
 public:
  explicit Groups(const char* id) : id_(id) {}
  void make();        // makes them, with the device rules of the default bundle where v1 has them
  void find();        // takes those that are there
  void join();        // moves the caller, who was born in unified(), to the others
  void show() const;  // mounts them at sys/fs/cgroup, read-only
  void remove();
  // The directory in the v2 hierarchy, for CLONE_INTO_CGROUP; -1: there is none.
  int unified() const { return unified_; }

 private:
  struct Hierarchy {
    const char* name;  // "" on a host with v2 alone
    bool v2;
    char path[kPathSize];
  };
  void add(const char* name, bool v2, void (*made)(const char* path));
  void set_up(void (*made)(const char* path));

  const char* id_;
  Hierarchy hierarchies_[16] = {};
  int count_ = 0, unified_ = -1;
};

}  // namespace floor_program
