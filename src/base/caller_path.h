// SPDX-License-Identifier: Apache-2.0
// Opens files at paths that the caller names: --log, --pid-file, `spec`. In a directory that other
// users can write, such as /tmp, another user may have placed a symbolic link, a FIFO or a regular
// file at that path. The kernel's fs.protected_symlinks, protected_fifos and protected_regular
// (proc_sys_fs(5)) guard some of these calls, if they are on; this holds always: no symbolic link
// of another user is followed, at no place of a path. Links of root (/dev/stderr, /var/run) and
// those of procfs (/proc/self/fd/3) are.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <string>

namespace onggi {

// A file to append to, made with mode 0600 if it is missing; or a pipe, a terminal. One in a sticky
// directory must be the user's own or root's. A FIFO that nobody reads is an error (ENXIO). Writing
// to what is no regular file does not block (EAGAIN).
Result<UniqueFd> open_callers_log(const std::string& path);

// The directory that `path` is in, and its name there.
struct CallersFile {
  UniqueFd directory;
  std::string name;
};
Result<CallersFile> open_callers_directory(const std::string& path);
// An error if `file` is something that must not be replaced by a file: a device, a FIFO, a socket.
Result<> check_replaceable(const CallersFile& file, const std::string& path);

}  // namespace onggi
