// SPDX-License-Identifier: Apache-2.0
// What mount tests look at, and what they set up on the host: rows of mountinfo, sources of bind
// mounts, user namespaces, mounts that go away with their object.
#pragma once

#include "support/bundle.h"

#include <string>

namespace onggi::test {

// A row of /proc/PID/mountinfo, see proc_pid_mountinfo(5).
struct MountLine {
  std::string device;   // "0:43" of the filesystem
  std::string options;  // of the mount
  std::string tags;     // "shared:5 master:1 "
  std::string type;
  std::string super;  // options of the filesystem
};

// The last (uppermost) mount on this point; all members are empty when there is none.
MountLine mount_at(const std::string& mountinfo, const std::string& point);
// `name` is one of the comma-separated `options`.
bool has_option(const std::string& options, const std::string& name);

// A directory on the host with one file in it.
struct Source {
  Source() : directory("source") { write_file(path() / "file", "from the host"); }
  std::filesystem::path path() const { return directory.path(); }
  ScratchDirectory directory;
};

// A mount in the mount namespace of the tests.
class HostMount {
 public:
  static constexpr unsigned long kBind = 4096;  // MS_BIND

  // A tmpfs with `flags` (MS_NOSUID, ...), on a directory that is made if it is missing.
  explicit HostMount(std::filesystem::path point, unsigned long flags = 0,
                     const char* type = "tmpfs");
  ~HostMount();
  HostMount(const HostMount&) = delete;
  HostMount& operator=(const HostMount&) = delete;
  // MS_SHARED, MS_PRIVATE, ...; or MS_REMOUNT with flags.
  void change(unsigned long flags) const;
  const std::filesystem::path& path() const { return point_; }

 private:
  std::filesystem::path point_;
};

// A tmpfs on the host with another one in it, both with `flags`.
struct HostTree {
  explicit HostTree(unsigned long flags = 0)
      : top(source.path() / "top"), below(top.path() / "sub", flags) {
    top.change(kRemount | flags);
  }
  const std::filesystem::path& path() const { return top.path(); }

  static constexpr unsigned long kRemount = 32;  // MS_REMOUNT
  const Source source;
  const HostMount top, below;
};

// What mountinfo says in the container.
std::string table_of(Bundle& bundle);
// CITE for a row of the table of config.md#linux-mount-options.
void cite_mount_option(const std::string& row);

// A user namespace whose ids 0 to 65535 are those of the host from kFirstId on.
inline constexpr unsigned kFirstId = 100000;
Bundle& in_user_namespace(Bundle& bundle);
// The same mappings for the last entry of `mounts`, or others.
Bundle& map_last_mount(Bundle& bundle, const std::string& mappings);

}  // namespace onggi::test
