// SPDX-License-Identifier: Apache-2.0
// What is on record of a container: what it was made of, and how it has ended.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "network/port.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct ContainerRecord {
  std::string id;
  std::string image;         // as the user named it
  std::string manifest;      // its digest
  std::string created;       // RFC 3339
  std::string runtime;       // a program
  std::string stop_timeout;  // seconds; empty: that of `stop`
  std::string network;       // the backend's name, none or host
  std::vector<PortMapping> ports;
  std::vector<std::string> volumes;  // names of those of the store that it mounts
  bool is_temporary = false;         // removed at its end
};

// How a container has ended.
struct ContainerExit {
  int status = 0;        // of exit(3); 128 and the signal's number if one ended it
  std::string finished;  // RFC 3339
};

// An id as runtimes take it, and that is no path.
Result<> check_container_id(std::string_view id);
std::string random_container_id();

// Of a container's directory. ENOENT: it is being made, or removed.
Result<ContainerRecord> read_record(int directory);
Result<> write_record(int directory, const ContainerRecord& record);

// The file is made with the container and always written in place, so whoever has opened it reads
// the end also of a container that was removed at once.
Result<UniqueFd> open_exit_file(int directory);
// Nothing: it has not ended, or who ran it was killed and could not tell.
Result<std::optional<ContainerExit>> read_exit(int file);
Result<> write_exit(int file, int status);
// It runs again.
Result<> clear_exit(int file);

}  // namespace onggi::image
