// SPDX-License-Identifier: Apache-2.0
// The process that stands by a container from its network to its end. `run` is one for a container
// that it has made, `start` for one that was there.
#pragma once

#include "bundle/container.h"
#include "command/container_options.h"
#include "network/held_ports.h"
#include "process/companion.h"
#include "process/output_log.h"

#include <unistd.h>

#include <optional>
#include <string>

namespace onggi::image {

struct RunnerCall {
  std::string root;  // of the store
  Connection connection = nullptr;
  HeldPorts ports;  // of the record
  bool is_terminal = false, reads_input = false;
  bool is_new = false;  // removed again if it does not get as far as its program
  int started = -1;     // gets the id when a detached container runs; -1: it is in the foreground
};

class Runner {
 public:
  // The container's layers are mounted at its rootfs, in this process's own mount namespace.
  Runner(Container container, RunnerCall call)
      : container_(std::move(container)), call_(std::move(call)) {}

  // Its network; the path of the namespace is empty if there is none of its own.
  Result<> connect();
  const std::string& network_path() const { return network_path_; }
  const std::string& address() const { return address_; }
  const std::string& name_server() const { return name_server_; }

  // By its config.json, until it ends; the value is its status. `ready`: what was to be done before
  // has gone well. Cleans up in any case.
  Result<int> run(const Result<>& ready);

  const Container& container() const { return container_; }

 private:
  Result<int> execute();
  Result<int> execute_detached();
  Result<int> start_with_pipes(std::optional<OutputLog>& log);
  Result<int> start_with_terminal(std::optional<OutputLog>& log);
  std::vector<std::string> runtime_words(std::vector<std::string> options) const;
  std::string pid_file() const { return container_.path() + "/pid"; }
  Result<> clean_up();

  Container container_;
  RunnerCall call_;
  UniqueFd network_;
  std::optional<Companion> companion_;  // of the network
  std::string network_path_, address_, name_server_;
};

// Before anything of a container is made.
Result<HeldPorts> hold_ports(const Store& store, Connection connection,
                             const std::vector<PortRequest>& ports);

// A mount namespace of this process: mounts of the host come in later, too; ours do not go out.
Result<> leave_mount_namespace();

// Where its layers are mounted, in this mount namespace.
void unmount_rootfs(const Container& container);

// In the child of a fork(2), whose answer becomes ours: prints the id that it writes to `started`.
// Anything else: this is the child, and its `started`.
struct BackgroundFork {
  std::optional<int> status;  // of the parent
  int started = -1;           // of the child
};
Result<BackgroundFork> fork_to_background();

}  // namespace onggi::image
