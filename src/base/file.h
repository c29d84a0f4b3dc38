// SPDX-License-Identifier: Apache-2.0
// Whole small files, by directory descriptor and name, and the directories they are in.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace onggi {

Result<UniqueFd> open_directory(int dir, const std::string& path);
// Mode 0700 for each that is missing on the way. `path` is absolute.
Result<> make_directories(const std::string& path);
// As seen from the working directory; not cleaned, and links stay.
Result<std::string> absolute_path(const std::string& path);

// The file's bytes. More than `limit` bytes is an error (ErrorKind::invalid_config).
Result<std::string> read_file(int dir, const std::string& path, size_t limit);
Result<std::string> read_all(int fd, std::string_view name, size_t limit);

// One write(2) of the whole text into an existing file, as the kernel's control files want it.
Result<> write_existing(int dir, const std::string& path, std::string_view text);
Result<> write_all(int fd, std::string_view name, std::string_view text);

// A file that is not there yet; readers may see a part of it.
Result<> write_new(int dir, const std::string& name, std::string_view text, unsigned mode);
// Readers see the old content or the new, never a part: a temporary file beside it, then rename(2).
// There is no fsync: what is stored this way names processes, which do not outlive the kernel that
// a crash would take down.
Result<> replace_atomically(int dir, const std::string& name, std::string_view text, unsigned mode);
std::string temporary_name(std::string_view name);  // of that file
// The same with the caller's name for the temporary file, which must not be that of another file.
Result<> replace_by(int dir, const std::string& temporary, const std::string& name,
                    std::string_view text, unsigned mode);

}  // namespace onggi
