// SPDX-License-Identifier: Apache-2.0
#include "runtime/locked_container.h"

namespace onggi {

Result<LockedContainer> LockedContainer::open(const RuntimeOptions& runtime, std::string_view id) {
  constexpr int kPatience = 10'000;  // milliseconds
  TRY(check_id(id));
  StateDir directory = TRY(StateDir::open(runtime.root, id));
  if (!TRY(directory.lock(kPatience)))
    return state_error("container '", id, "' is being changed by another command");
  Record record = TRY(directory.load());
  const Status status = TRY(status_of(directory, record));
  return LockedContainer{std::move(directory), std::move(record), status};
}

}  // namespace onggi
