// SPDX-License-Identifier: Apache-2.0
// Directories of cgroup file systems, v1 and v2 alike, by absolute path: one cgroup needs a handful
// of calls in each hierarchy, and a path of five components costs less than opening and closing a
// descriptor to start from.
#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::cgroups {

// The parent's path, "/a" of "/a/b" and "" of "/a".
std::string parent_of(const std::string& path);

// Makes mount_point + path, with the parents that are missing. Adds what it made to `made`, parents
// first; a directory that is there is taken as it is.
Result<> make_directory(const std::string& mount_point, const std::string& path,
                        std::vector<std::string>& made);

// Removes a directory with all its sub-cgroups and whatever still runs in them, within about ten
// seconds. One that is gone is success.
Result<> remove_directory(const std::string& path);

// A small control file; nothing if the cgroup or the file is gone.
Result<std::optional<std::string>> read_control(const std::string& path);

// Pids of `path` and all cgroups below it. Processes that another pid namespace hides (pid 0) are
// left out.
Result<std::vector<int>> processes_below(const std::string& path);

// To every process of `path` and below, but this one. The number of processes it was sent to.
Result<size_t> signal_below(const std::string& path, int signal);

void sleep_microseconds(int64_t duration);

}  // namespace onggi::cgroups
