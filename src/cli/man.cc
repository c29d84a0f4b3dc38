// SPDX-License-Identifier: Apache-2.0
// docs/onggi.1, in the macros of man(7).
#include "cli/help.h"

#include <string>

namespace onggi::cli {
namespace {

// A hyphen that is to be typed, and characters that roff would read.
std::string roff(std::string_view text) {
  std::string escaped;
  if (text.starts_with('.') || text.starts_with('\'')) escaped += "\\&";
  for (char c : text) {
    if (c == '-') {
      escaped += "\\-";
    } else if (c == '\\') {
      escaped += "\\e";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string option_entry(const OptionRow& row) {
  std::string text = ".TP\n";
  if (row.letter != 0) text.append("\\fB\\-").append(1, row.letter).append("\\fR");
  if (*row.name != 0)
    text.append(row.letter != 0 ? ", " : "")
        .append("\\fB")
        .append(roff(spelling(row)))
        .append("\\fR");
  if (row.value != nullptr) text.append(" \\fI").append(roff(row.value)).append("\\fR");
  return text.append("\n").append(roff(row.help)).append("\n");
}

std::string option_entries(std::span<const OptionRow> rows) {
  std::string text;
  for (const OptionRow& row : rows) {
    if (row.help != nullptr) text += option_entry(row);
  }
  return text;
}

std::string command_entry(const Command& command) {
  std::string text = ".SS \"" + roff(usage_line(command)) + "\"\n" + roff(command.summary) + ".\n";
  return text + option_entries(command.options);
}

}  // namespace

std::string man_page() {
  std::string text =
      ".TH ONGGI 1 \"\" \"onggi " ONGGI_VERSION
      "\" \"User Commands\"\n"
      ".SH NAME\nonggi \\- container runtime for the OCI runtime specification\n"
      ".SH SYNOPSIS\n.B onggi\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n"
      ".SH DESCRIPTION\n"
      "Creates and runs containers from bundles: a directory with a\n.I config.json\nand a root "
      "filesystem. "
      "Container engines call it in place of other low\\-level runtimes.\n"
      ".SH OPTIONS\n";
  text.append(option_entries(global_options())).append(".SH COMMANDS\n");
  for (const Command& command : commands()) {
    if (command.summary != nullptr) text += command_entry(command);
  }
  return text +
         ".SH EXIT STATUS\n"
         "\\fBrun\\fR without \\fB\\-\\-detach\\fR: the status of the container's program, or 128 "
         "plus the number of the "
         "signal that ended it. Otherwise 0 on success and 1 on failure.\n";
}

}  // namespace onggi::cli
