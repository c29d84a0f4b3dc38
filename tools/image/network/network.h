// SPDX-License-Identifier: Apache-2.0
// A network for a container: an interface eth0 in its network namespace, a way to other machines,
// and published ports. Other programs make it; each is a backend, a row of one table. Its name is
// on the record of the container, so whoever cleans up asks the one that made it.
#pragma once

#include "base/result.h"
#include "network/held_ports.h"
#include "process/companion.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct NetworkRequest {
  std::string id;      // of the container; unique on the host
  std::string path;    // of its network namespace; for detach also empty: it has gone
  int directory = -1;  // of the container, for files of the backend's
  std::vector<PortMapping> ports;
};

struct AttachedNetwork {
  std::string address;      // of the container, without prefix length
  std::string name_server;  // that it asks; empty: those of the host
  std::string state;        // what detach needs; empty: nothing of it outlasts the companion
  std::optional<Companion> companion;  // the network lasts as long as this
};

struct NetworkBackend {
  std::string_view name;
  bool is_roots;     // made by root; else by rootless users
  bool opens_ports;  // binds the host's ports itself
  // Where it publishes a port without an address.
  Families (*families)();
  // Before anything is made: the program is installed, and can publish such ports.
  Result<> (*check)(const std::vector<PortRequest>& ports);
  // What has been made before an error is taken back.
  Result<AttachedNetwork> (*attach)(const NetworkRequest& request);
  // Also when only a part is there, or `state` is empty because it was never written. Null: nothing
  // outlasts the companion.
  Result<> (*detach)(const NetworkRequest& request, const std::string& state);
};

// Null: a container has no network of its own, or the host's.
using Connection = const NetworkBackend*;

// By the name of the record; null also for "none" and "host".
Connection connection_named(std::string_view name);

// "bridge" and "user" are the first backend, of root or of rootless users, that is installed; else
// the name of one. The error says what to install. `user_wants`: for messages.
Result<Connection> choose_connection(std::string_view name, bool is_root,
                                     const std::vector<PortRequest>& ports);

extern const NetworkBackend kNetavark, kCni, kPasta, kSlirp4netns;

}  // namespace onggi::image
