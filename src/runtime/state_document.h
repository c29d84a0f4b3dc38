// SPDX-License-Identifier: Apache-2.0
// The state of a container as others see it (runtime.md#state): the output of `state`, and what
// hooks read.
#pragma once

#include "base/json_writer.h"
#include "runtime/state_dir.h"

#include <string>
#include <string_view>

namespace onggi {

// Does this status have a process to name?
bool has_process(Status status);

std::string state_document(const Record& record, Status status, JsonWriter::Style style);

// The container process state of config-linux.md#containerprocessstate, for the descriptor
// "seccompFd".
std::string process_state_document(const Record& record, Status status, int pid,
                                   std::string_view metadata);

}  // namespace onggi
