// SPDX-License-Identifier: Apache-2.0
// The files of a container, running or not, for `cp`, `export` and `diff`.
#pragma once

#include "bundle/container_watch.h"
#include "command/command.h"

#include <optional>
#include <string>

namespace onggi::image {

class ContainerRoot {
 public:
  enum class Mounts : uint8_t {
    shown,   // with volumes and what else is mounted, as its programs see them
    hidden,  // its own root filesystem alone
  };
  // A running one is looked at through its first process; one that has ended is mounted in this
  // process's own mount namespace, and cannot be started as long as this object lives. An ordinary
  // user enters a user namespace.
  static Result<ContainerRoot> open(const Context& context, const std::string& id, Mounts mounts);

  int fd() const { return root_.get(); }

 private:
  ContainerRoot(UniqueFd root, std::optional<Container> held)
      : root_(std::move(root)), held_(std::move(held)) {}

  static Result<ContainerRoot> of_running(const ContainerProcess& process, Mounts mounts);
  static Result<ContainerRoot> of_stopped(const Context& context, const std::string& id,
                                          Mounts mounts);

  UniqueFd root_;
  std::optional<Container> held_;
};

}  // namespace onggi::image
