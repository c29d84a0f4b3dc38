// SPDX-License-Identifier: Apache-2.0
// A container that this program runs. All that it is, on disk, is containers/ID of the store:
//   container.json   what it was made of (ContainerRecord)
//   lock             held by the process that runs it, so gone when that process is
//   upper, work      the writable layer, and what overlayfs wants beside it
//   rootfs           where the layers are mounted, in the mount namespace of that process alone
//   config.json      with rootfs a bundle
//   network.json      what the network plugins have said
//   volumes/, hosts, hostname, resolv.conf, log
#pragma once

#include "bundle/network.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <vector>

namespace onggi::image {

struct ContainerRecord {
  std::string id;
  std::string image;     // as the user named it
  std::string manifest;  // its digest
  std::string created;   // RFC 3339
  std::string runtime;   // a program
  bool on_bridge = false;
  std::vector<std::string> ports;  // as for parse_ports()
  bool is_temporary = false;       // removed at its end
};

struct ContainerState {
  ContainerRecord record;
  bool is_running = false;
};

// An id as runtimes take it, and that is no path.
Result<> check_container_id(std::string_view id);
std::string random_container_id();

class Container {
 public:
  // A new one. An id in use is an error.
  static Result<Container> make(const Store& store, const ContainerRecord& record);
  // One that nobody runs. Nothing if it is running.
  static Result<std::optional<Container>> open(const Store& store, const std::string& id);

  const ContainerRecord& record() const { return record_; }
  const std::string& path() const { return path_; }  // absolute
  int directory() const { return directory_.get(); }

  // Gives it the network namespace `path`.
  Result<NetworkResult> connect(const std::string& path) const;
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

// The runtime's signal KILL to one that is running, and the wait for its runner to have cleaned up:
// no error if it is gone by then.
Result<> end_container(const Store& store, const std::string& id);

// Of those that were to be removed at their end: what ended when nobody was there to do it.
Result<> remove_ended_containers(const Store& store);

// Of the store, sorted by id. What was being made when its process was killed is not among them.
Result<std::vector<ContainerState>> list_containers(const Store& store);

// "RUNTIME [--root DIR]": ordinary users have their runtime's state with them.
std::vector<std::string> runtime_command(const std::string& runtime);

}  // namespace onggi::image
