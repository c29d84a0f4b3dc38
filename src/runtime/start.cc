// SPDX-License-Identifier: Apache-2.0
// The words of the refusals are an interface: engines match them.
#include "linux/start_socket.h"
#include "runtime/state_dir.h"

namespace onggi {

Result<> start_container(const RuntimeOptions& runtime, std::string_view id) {
  TRY(check_id(id));
  StateDir directory = TRY(StateDir::open(runtime.root, id));
  if (!TRY(directory.lock(10000)))
    return state_error("container '", id, "' is being changed by another command");
  const Record record = TRY(directory.load());
  switch (TRY(status_of(directory, record))) {
    case Status::created:
      break;
    case Status::stopped:
      return state_error("cannot start a container that has stopped");
    case Status::creating:
    case Status::running:
    case Status::paused:
      return state_error("cannot start an already running container");
  }
  const Result<> started = ask_to_start(directory.fd());
  TRY(directory.forget(kStartSocket));
  return started;
}

}  // namespace onggi
