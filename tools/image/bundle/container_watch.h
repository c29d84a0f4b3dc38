// SPDX-License-Identifier: Apache-2.0
// A container that somebody else runs, seen from outside: to wait for its end, with or without the
// process that runs it. Nothing here holds the store's lock.
#pragma once

#include "bundle/container.h"
#include "bundle/container_process.h"

namespace onggi::image {

class ContainerWatch {
 public:
  // The store may be closed afterwards. The end is told also of a container that is removed then.
  static Result<ContainerWatch> open(const Store& store, const std::string& id);

  const ContainerRecord& record() const { return record_; }
  int directory() const { return directory_.get(); }

  Result<std::optional<ContainerProcess>> process() const { return find_process(record_); }
  // Somebody runs it, or is about to, or cleans up.
  Result<bool> has_runner() const;
  // Has it a runner, and never had a process?
  Result<bool> is_starting() const;

  // For its process, and then for its runner to have cleaned up. Nothing: nobody knows how it has
  // ended, because its runner was killed before.
  Result<std::optional<ContainerExit>> wait() const;

 private:
  ContainerWatch(UniqueFd directory, UniqueFd lock, UniqueFd exit, ContainerRecord record)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        exit_(std::move(exit)),
        record_(std::move(record)) {}
  Result<> wait_for_runner() const;

  UniqueFd directory_, lock_, exit_;
  ContainerRecord record_;
};

// What a runner that was killed has not done for a container that has ended: its end is put on
// record, its network and its runtime's state are taken back, and it is removed if it was to be.
// No error: somebody runs it again, or it is gone.
Result<> settle_ended(const Store& store, const std::string& id,
                      const std::optional<ContainerExit>& exit);

}  // namespace onggi::image
