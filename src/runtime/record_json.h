// SPDX-License-Identifier: Apache-2.0
// A Record as text, for state.json.
#pragma once

#include "runtime/state_dir.h"

namespace onggi {

std::string write_record(const Record& record);
// `file` is where the text comes from.
Result<Record> read_record(std::string text, std::string_view file);
Error damaged_record(std::string_view file, std::string_view what);

}  // namespace onggi
