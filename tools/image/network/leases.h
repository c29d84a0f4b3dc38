// SPDX-License-Identifier: Apache-2.0
// Addresses of the bridge network that netavark makes, for which it keeps no accounts: one file for
// each lease, in a directory that is gone with the machine's next start, as the containers are.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <cstdint>
#include <string>

namespace onggi::image {

// Whose directory nobody else changes, and whose network nobody else sets up: netavark cannot have
// two of itself at work on one bridge.
class Leases {
 public:
  // Waits for whoever has it.
  static Result<Leases> open();

  // The host part of the address: 2 to 65534. Those given back last come last, because neighbours
  // remember them.
  Result<uint16_t> take(const std::string& id) const;
  // 0: it has none.
  Result<uint16_t> of(const std::string& id) const;
  Result<> give_back(const std::string& id) const;

  const std::string& directory() const { return directory_; }

 private:
  Leases(UniqueFd files, UniqueFd lock) : files_(std::move(files)), lock_(std::move(lock)) {}

  UniqueFd files_, lock_;
  std::string directory_;
};

}  // namespace onggi::image
