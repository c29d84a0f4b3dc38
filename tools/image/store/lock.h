// SPDX-License-Identifier: Apache-2.0
// Advisory locks between processes of this program: flock(2) on an open file or directory, gone
// with its last descriptor, so also when the process is killed.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi::image {

enum class LockKind : uint8_t { shared, exclusive };

// Waits for it. `name` is for the error.
Result<> lock(int fd, LockKind kind, std::string_view name);
// False: somebody else has it.
Result<bool> try_lock(int fd, LockKind kind, std::string_view name);

// Is the name in the directory still this open file? Whoever had the lock before may have renamed
// or removed it.
bool is_named(int directory, const std::string& name, int fd);

// A file of this directory, made if need be, with the lock on what has the name now.
Result<UniqueFd> open_locked_file(int directory, const std::string& name, LockKind kind);

}  // namespace onggi::image
