// SPDX-License-Identifier: Apache-2.0
#include "command/question.h"

#include "base/file.h"

#include <unistd.h>

#include <algorithm>

namespace onggi::image {

bool can_ask() {
  return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

// A terminal gives one line at a time.
Result<std::string> read_line(std::string_view prompt) {
  TRY(write_all(STDERR_FILENO, "standard error", prompt));
  std::string line(kLongestAnswer, '\0');
  const long size = sys::read(STDIN_FILENO, line.data(), line.size());
  if (size < 0) return system_error(size, "read", "standard input");
  line.resize(static_cast<size_t>(size));
  const bool is_aborted = std::ranges::any_of(
      line, [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\r' && c != '\t'; });
  if (is_aborted) return make_error(ErrorKind::state, "interrupted");
  return without_line_end(std::move(line));
}

}  // namespace onggi::image
