// SPDX-License-Identifier: Apache-2.0
// The container's root filesystem: a descriptor, and everything that is looked up or made below it.
// Each lookup is one openat2(2) scoped to the root, so neither a symbolic link in the image nor a
// directory swapped meanwhile leads out (CVE-2019-18837, CVE-2021-30465, CVE-2024-45310). No
// function here takes a path of the host.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "base/text.h"

namespace onggi {

// What a mount goes on top of.
struct MountPoint {
  UniqueFd existing;   // O_PATH; or none, and
  int directory = -1;  // `name` in it has just been made, and nothing is below it. Borrowed, like
  const char* name = nullptr;  // the two of RootDir::Entry
  bool made = false;           // nothing was there before
};

class RootDir {
 public:
  RootDir() = default;
  explicit RootDir(UniqueFd root) : root_(std::move(root)) {}

  int fd() const { return root_.get(); }

  // O_PATH unless `flags` say otherwise. -ENOENT and the like come back as the negated errno.
  long open(const char* path, uint64_t flags = O_PATH, uint64_t resolve = 0) const;

  enum class Leaf {
    directory,         // 0755
    file,              // 0644, empty
    shared_directory,  // 01777, the mode of a tmpfs; only by make_mount_point()
  };
  // Opens `path` (O_PATH), making what is missing on the way: directories 0755, and at its end a
  // directory or an empty file. Dangling symbolic links are followed and what they name is made.
  Result<UniqueFd> make(const char* path, Leaf leaf) const {
    bool made;
    return make(path, leaf, made);
  }

  struct Entry {
    int directory;     // O_PATH, open until the next call or forget()
    const char* name;  // last component, within `path`
  };
  // The directory that `path` lies in, made if missing. It stays open, for the next one in it: the
  // nodes and links of /dev come in a row.
  Result<Entry> make_parent(const char* path);
  // Something is mounted on what was there: the same path may lead elsewhere now.
  void forget() { parent_.reset(); }

  // As make(), for what is only going to be covered. In the directory of the last call the last
  // component is tried first: most mounts of a container lie in filesystems that are new and empty.
  // A shared directory is made as an ordinary one where it would be seen outside of the container's
  // own root filesystem.
  Result<MountPoint> make_mount_point(const char* path, Leaf leaf);

 private:
  bool parent_is_open(std::string_view parent) const {
    return parent_ && parent == parent_path_.view();
  }
  // `made`: what `path` names was not there before.
  Result<UniqueFd> make(const char* path, Leaf leaf, bool& made) const;
  // Negative where more than the last component is to be made or followed.
  long make_last(const char* path, Leaf leaf, bool& made) const;
  bool in_own_mount(int directory) const;

  UniqueFd root_;
  FixedText<64> parent_path_;  // of parent_, if that is open
  UniqueFd parent_;
};

// stx_mode of an open descriptor; 0 if it cannot be had.
unsigned mode_of(int fd);

}  // namespace onggi
