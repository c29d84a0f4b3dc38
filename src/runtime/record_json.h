// SPDX-License-Identifier: Apache-2.0
// A Record as text, for state.json.
#pragma once

#include "runtime/state_dir.h"

namespace onggi {

std::string write_record(const Record& record);
Result<Record> read_record(std::string text);

}  // namespace onggi
