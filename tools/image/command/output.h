// SPDX-License-Identifier: Apache-2.0
// What commands print: tables and sizes.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace onggi::image {

// "0 B", "512 B", "48.8 MB": as docker and registries count, in powers of 1000.
std::string size_text(uint64_t bytes);

// Columns as wide as what is in them. Cells are what images say: control characters are shown, not
// sent.
using TableRow = std::vector<std::string>;
std::string table_text(const std::vector<TableRow>& rows);

}  // namespace onggi::image
