// SPDX-License-Identifier: Apache-2.0
// The log that a runtime writes for the program that calls it: whether a failure is the runtime's
// or the exit status of the container's program, and what docker and podman exit with then.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

// Exit statuses of docker-run(1) and podman-run(1).
constexpr int kOwnFailure = 125, kCannotExecute = 126, kNotFound = 127;

// Global options of onggi, crun and runc that make them write their errors to `path` as well.
std::vector<std::string> runtime_log_options(const std::string& path);

// `text` is the log, a JSON object a line. Nothing: the runtime reports no error in it, so the exit
// status is that of the program.
std::optional<int> failure_in_runtime_log(std::string_view text);

}  // namespace onggi::image
