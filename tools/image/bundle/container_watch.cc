// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "bundle/container_watch.h"

#include "base/utc.h"

#include <sys/file.h>

namespace onggi::image {

Result<ContainerWatch> ContainerWatch::open(const Store& store, const std::string& id) {
  UniqueFd directory = TRY(open_container_directory(store, id));
  ContainerRecord record = TRY(read_record(directory.get()));
  UniqueFd lock = TRY(open_lock_file(directory.get()));
  UniqueFd exit = TRY(open_exit_file(directory.get()));
  return ContainerWatch(std::move(directory), std::move(lock), std::move(exit), std::move(record));
}

Result<bool> ContainerWatch::has_runner() const {
  const bool is_free = TRY(try_lock(lock_.get(), LockKind::shared, "lock"));
  if (is_free) (void)flock(lock_.get(), LOCK_UN);
  return !is_free;
}

Result<bool> ContainerWatch::is_starting() const {
  struct statx info = {};
  if (sys::statx(directory_.get(), "pid", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &info) == 0)
    return false;
  if (TRY(read_exit(exit_.get()))) return false;
  return has_runner();
}

// The lock goes with the runner, however that ends.
Result<> ContainerWatch::wait_for_runner() const {
  TRY(lock(lock_.get(), LockKind::shared, "lock"));
  (void)flock(lock_.get(), LOCK_UN);
  return {};
}

Result<std::optional<ContainerExit>> ContainerWatch::wait() const {
  TRY(wait_for_runner());
  std::optional<ContainerExit> exit = TRY(read_exit(exit_.get()));
  if (exit) return exit;
  const std::optional<ContainerProcess> orphan = TRY(process());
  if (!orphan) return std::optional<ContainerExit>();
  TRY(wait_for_process(*orphan, -1));
  const std::optional<int> status = exit_status_of(*orphan);
  if (!status) return std::optional<ContainerExit>();
  return std::optional(ContainerExit{*status, utc_now(Precision::seconds)});
}

Result<> settle_ended(const Store& store, const std::string& id,
                      const std::optional<ContainerExit>& exit) {
  Result<std::optional<Container>> opened = Container::open(store, id);
  if (!opened || !opened.value()) return {};
  const Container& container = *opened.value();
  if (TRY(find_process(container.record()))) return {};
  if (exit) TRY(container.record_exit(exit->status));
  TRY(container.clean_up({}));
  return container.record().is_temporary ? container.remove(store) : Result<>();
}

}  // namespace onggi::image
