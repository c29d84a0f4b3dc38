// SPDX-License-Identifier: Apache-2.0
// One field of linux.resources: what the kernel's files say after `create` with it and after
// `update` of it. A table of these becomes two test cases a row, one for each cgroup driver; which
// side of the row holds is decided by the hierarchy that has the field's controller on this host.
#pragma once

#include "support/suite.h"

#include <array>
#include <cstddef>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

namespace onggi::test {

// In JSON, files and values: "$MAJOR", "$MINOR" and "$DISK" ("254:0") of a disk of this host,
// "$RDMA" the name of an RDMA device.
struct Reading {
  const char* name;  // of a file of the cgroup, or of a property of the unit
  const char* created;
  const char* updated;
  // Of a file with a line for each device or interface: the first word of the line that counts.
  // Else all of the file counts.
  const char* key = nullptr;
};
// In place of a file: what a process of the cgroup can open, see openable_in().
inline constexpr const char* kOpenable = "(can be opened)";

struct RivalFault {
  const char* runtime;
  const char* reason;
};

struct Side {
  // "": none, the hierarchy cannot have the field. A host without the controller cannot either.
  const char* controller;
  // Empty: `create` and `update` fail, before anything is made, and name the field.
  std::vector<Reading> files;
  std::vector<Reading> properties = {};  // of the unit, under the systemd driver
  std::vector<Need (*)()> needs = {};
  std::vector<RivalFault> rivals = {};
  // `update` alone fails, and names the field: `updated` then says what stays.
  bool update_refused = false;
};

struct ResourceRow {
  const char* field;   // below linux.resources; what stands behind a blank tells rows apart
  const char* create;  // linux.resources
  const char* update;  // the document of `update --resources -`
  Side v1, v2;
  bool warns = false;  // ignored, with a warning that names the field
  std::source_location where = std::source_location::current();
};

enum class RowDriver { files, systemd };

void check_row(const ResourceRow& row, RowDriver driver);
// Registers a case with doctest, whose macros know only names that are literals.
void register_row(const ResourceRow& row, RowDriver driver, void (*check)());

template <const auto& kRows, RowDriver kDriver, size_t kIndex>
void check_row_of() {
  check_row(kRows[kIndex], kDriver);
}

// `kRows`: an array of ResourceRow with static storage.
template <const auto& kRows>
bool register_rows() {
  [&]<size_t... kIndex>(std::index_sequence<kIndex...>) {
    (register_row(kRows[kIndex], RowDriver::files, check_row_of<kRows, RowDriver::files, kIndex>),
     ...);
    (register_row(kRows[kIndex], RowDriver::systemd,
                  check_row_of<kRows, RowDriver::systemd, kIndex>),
     ...);
  }
  (std::make_index_sequence<std::size(kRows)>());
  return true;
}

}  // namespace onggi::test
