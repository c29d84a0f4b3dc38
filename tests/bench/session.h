// SPDX-License-Identifier: Apache-2.0
// Everything that a run of the bench makes on the host, and its end. Mounts are in a namespace of
// our own, so they end with us in any case; detached containers become our children, as they become
// conmon's.
#pragma once
#include "bench/bundle.h"
#include "bench/subject.h"

#include <memory>

namespace bench {

class Session {
 public:
  Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  const std::filesystem::path& directory() const { return directory_; }
  const Streams& streams() const { return *streams_; }
  const Bundles& bundles() const { return *bundles_; }
  // A container with a new id. The bundle is one of ours.
  Container container(const std::filesystem::path& bundle, bool by_systemd = false);
  // Another container and its mounts, in the host's mount table as an engine has them: a root and a
  // /dev/shm.
  void add_other(const Subject& subject, const std::filesystem::path& bundle);
  // Ends all containers and removes what they have left: processes, cgroups, states, mounts.
  void sweep(const std::vector<Subject>& subjects);

 private:
  void remove_cgroups() const;
  void make_private_mounts();
  void unmount_others();

  std::filesystem::path directory_;
  std::string tag_;  // in every id, and so in the name of every cgroup
  int containers_ = 0;
  std::vector<std::filesystem::path> others_;
  std::unique_ptr<Streams> streams_;
  std::unique_ptr<Bundles> bundles_;
};

}  // namespace bench
