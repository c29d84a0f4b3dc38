// SPDX-License-Identifier: Apache-2.0
#include "process/log_lines.h"

#include <algorithm>

namespace onggi::image {
namespace {

constexpr std::string_view kStreams[] = {"stdout", "stderr"};

// Takes a word and the space behind it.
std::string_view take_word(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

}  // namespace

void append_log_lines(std::string_view bytes, LogStream stream, std::string_view time,
                      std::string& to) {
  while (!bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const bool is_whole = newline != bytes.npos;
    const std::string_view text = bytes.substr(0, is_whole ? newline : bytes.size());
    to.append(time).append(" ").append(kStreams[static_cast<size_t>(stream)]);
    to.append(is_whole ? " F " : " P ").append(text).append("\n");
    bytes.remove_prefix(text.size() + (is_whole ? 1 : 0));
  }
}

bool parse_log_line(std::string_view line, LogPiece& to) {
  to.time = take_word(line);
  const std::string_view stream = take_word(line);
  if (stream != kStreams[0] && stream != kStreams[1]) return false;
  if (line.size() < 2 || line[1] != ' ' || (line[0] != 'F' && line[0] != 'P')) return false;
  to.stream = stream == kStreams[0] ? LogStream::output : LogStream::error;
  to.ends_line = line[0] == 'F';
  to.text = line.substr(2);
  return true;
}

std::string text_of_log(std::string_view log) {
  std::string text;
  while (!log.empty()) {
    const size_t end = std::min(log.find('\n'), log.size());
    LogPiece piece;
    if (parse_log_line(log.substr(0, end), piece))
      text.append(piece.text).append(piece.ends_line ? "\n" : "");
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return text;
}

size_t find_last_lines(std::string_view log, uint64_t count) {
  // Backwards; pieces of a line that is not ended yet count as one, for each stream.
  bool is_open[2] = {false, false};
  size_t start = log.size();
  uint64_t begun = 0;
  while (start > 0) {
    const size_t before = start >= 2 ? log.rfind('\n', start - 2) : log.npos;
    const size_t line = before == log.npos ? 0 : before + 1;
    LogPiece piece;
    if (parse_log_line(log.substr(line, start - 1 - line), piece)) {
      bool& open = is_open[static_cast<size_t>(piece.stream)];
      if (piece.ends_line || !open) {
        if (begun == count) return start;
        ++begun;
      }
      open = true;
    }
    start = line;
  }
  return 0;
}

}  // namespace onggi::image
