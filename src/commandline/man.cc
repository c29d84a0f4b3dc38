// SPDX-License-Identifier: Apache-2.0
// The man page, in the macros of man(7).
#include "base/ascii.h"
#include "commandline/program.h"

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

std::string command_entry(const Program& program, const CommandRow& command) {
  std::string text = ".SS \"" + roff(usage_line(program, command)) + "\"\n";
  text.append(roff(command.summary)).append(".\n");
  return text + option_entries(command.options);
}

}  // namespace

std::string man_page(const Program& program) {
  const std::string name = roff(program.name);
  std::string text = ".TH " + upper_case(program.name) + " 1 \"\" \"" + name + " ";
  text.append(program.version).append("\" \"User Commands\"\n");
  text.append(".SH NAME\n" + name + " \\- ").append(program.title);
  text.append("\n.SH SYNOPSIS\n.B " + name);
  text.append("\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n");
  text.append(".SH DESCRIPTION\n").append(program.description);
  text.append(".SH OPTIONS\n").append(option_entries(program.options)).append(".SH COMMANDS\n");
  for (const CommandRow* command : program.commands) {
    if (command->summary != nullptr) text += command_entry(program, *command);
  }
  return text.append(".SH EXIT STATUS\n").append(program.exit_status);
}

}  // namespace onggi::cli
