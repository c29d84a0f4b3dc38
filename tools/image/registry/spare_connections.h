// SPDX-License-Identifier: Apache-2.0
// Connections beside the one that each thread has, for parts of large blobs. How many there are is
// counted over all blobs of a command: it matters to the registry, and to the user's other
// programs.
#pragma once

#include "registry/access.h"

namespace onggi::image {

class SpareConnections {
 public:
  explicit SpareConnections(Access& access) : access_(access) {}
  ~SpareConnections() { give_back(); }
  SpareConnections(const SpareConnections&) = delete;
  SpareConnections& operator=(const SpareConnections&) = delete;

  // All that nobody else has; false: there are none.
  bool take() {
    if (count_ == 0) count_ = access_.take_connections();
    return count_ != 0;
  }
  void give_back() {
    access_.give_connections(count_);
    count_ = 0;
  }
  unsigned count() const { return count_; }
  Clock& clock() const { return access_.clock(); }

 private:
  Access& access_;
  unsigned count_ = 0;
};

}  // namespace onggi::image
