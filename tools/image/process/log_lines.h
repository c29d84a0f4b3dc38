// SPDX-License-Identifier: Apache-2.0
// The log of a detached container, in the format of the kubelet's container runtimes (podman calls
// it k8s-file):
//
//   2026-11-30T06:07:33.123456789Z stdout F a whole line, or the rest of one
//   2026-11-30T06:07:33.123456789Z stderr P a part of a line
//
// Bytes are those of the program; only the newline belongs to the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace onggi::image {

enum class LogStream : uint8_t { output, error };

struct LogPiece {
  std::string_view time;  // RFC 3339 in UTC with nanoseconds, so that text order is time order
  LogStream stream = LogStream::output;
  bool ends_line = false;
  std::string_view text;  // without newline
};

// What a program wrote at once, as lines of the log, appended to `to`.
void append_log_lines(std::string_view bytes, LogStream stream, std::string_view time,
                      std::string& to);

// One line of the log, without its newline. False: not such a line.
bool parse_log_line(std::string_view line, LogPiece& to);

// What the program wrote, of a whole log.
std::string text_of_log(std::string_view log);

// The place in `log` where its last `count` lines of the program begin. `log` begins and ends with
// whole lines of the format. 0: it has no more than `count`.
size_t find_last_lines(std::string_view log, uint64_t count);

}  // namespace onggi::image
