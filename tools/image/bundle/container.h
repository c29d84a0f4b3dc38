// SPDX-License-Identifier: Apache-2.0
// A container that this program runs. All that it is, on disk, is containers/ID of the store:
//   container.json   what it was made of (ContainerRecord)
//   lock             held by the process that runs it, so gone when that process is
//   upper, work      the writable layer, and what overlayfs wants beside it
//   rootfs           where the layers are mounted, in the mount namespace of that process alone
//   config.json      with rootfs a bundle
//   exit             how it has ended, once it has ("7 2026-11-30T06:07:33Z"); empty while it runs
//   pid              of its first process, as the runtime writes it; gone when it has ended
//   address          the last that it had on a network
//   network.json     what taking its network back needs
//   volumes/, hosts, hostname, resolv.conf, log
#pragma once

#include "bundle/container_record.h"
#include "network/network.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <vector>

namespace onggi::image {

struct ContainerState {
  ContainerRecord record;
  bool is_running = false;  // also if who ran it was killed
  std::optional<ContainerExit> exit;
};

class Container {
 public:
  // A new one. An id in use is an error.
  static Result<Container> make(const Store& store, const ContainerRecord& record);
  // One that nobody runs. Nothing if it is running.
  static Result<std::optional<Container>> open(const Store& store, const std::string& id);

  const ContainerRecord& record() const { return record_; }
  const std::string& path() const { return path_; }  // absolute
  int directory() const { return directory_.get(); }

  // How it has ended, and that it has not.
  Result<> record_exit(int status) const;
  Result<> clear_exit() const;
  Result<std::optional<ContainerExit>> exit() const;
  // The address that it had on its last network; empty: none.
  std::string last_address() const;
  // Gives it the network namespace `path`.
  Result<AttachedNetwork> connect(const std::string& path) const;
  // Ends what a runtime and the network may still have of it. Also after a runner that was killed;
  // `path` is empty then.
  Result<> clean_up(const std::string& path) const;
  // Moves it to the trash.
  Result<> remove(const Store& store) const;

 private:
  Container(UniqueFd directory, UniqueFd lock, std::string path, ContainerRecord record)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        path_(std::move(path)),
        record_(std::move(record)) {}

  UniqueFd directory_, lock_;
  std::string path_;
  ContainerRecord record_;
};

// Of those that were to be removed at their end: what ended when nobody was there to do it.
Result<> remove_ended_containers(const Store& store);

// Takes back what publishes one of the ports for a container that ended when nobody was there to do
// it. An error: one of them is published for a container that runs on after its runner was killed.
// What is published for others is held by a socket of theirs.
Result<> free_ports(const Store& store, const std::vector<PortMapping>& ports);

// One that is there, running or not.
Result<ContainerState> find_container(const Store& store, const std::string& id);

// Of the store, sorted by id. What was being made when its process was killed is not among them.
Result<std::vector<ContainerState>> list_containers(const Store& store);

// "containers/ID" of the store, which must exist. The id is checked.
Result<UniqueFd> open_container_directory(const Store& store, const std::string& id);
// The file whose lock whoever runs the container holds.
Result<UniqueFd> open_lock_file(int directory);

}  // namespace onggi::image
