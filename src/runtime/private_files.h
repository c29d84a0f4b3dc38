// SPDX-License-Identifier: Apache-2.0
// Directories and files that only this user can have written. The state of containers names
// processes to be killed and cgroups to be removed, so nobody else's word counts: what is read has
// to belong to the effective user id, and nobody else may be able to write it. Symbolic links are
// not followed, and neither a FIFO nor a huge file holds a command up.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi {

// `shown` is what errors call it. ENOENT and the like are in the error's errnum; a directory that
// others can write is an error without one (ErrorKind::system).
Result<UniqueFd> open_private_directory(int dir, const std::string& path, std::string_view shown);

// The bytes of a regular file of at most `limit` bytes. What is not such a file is
// ErrorKind::state, without an errnum.
Result<std::string> read_private_file(int dir, const std::string& name, size_t limit);

}  // namespace onggi
