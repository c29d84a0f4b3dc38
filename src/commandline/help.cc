// SPDX-License-Identifier: Apache-2.0
// Help in plain text; completion.cc and man.cc print the same rows for other readers.
#include "commandline/program.h"

#include <algorithm>

namespace onggi::cli {
namespace {

struct Line {
  std::string left;
  std::string_view right;
};

// "  -b, --bundle DIR", with the letters in one column.
std::string option_column(const OptionRow& row) {
  std::string text = "  ";
  text += row.letter != 0 ? std::string("-") + row.letter : "  ";
  if (*row.name != 0) {
    text += row.letter != 0 ? ", " : "  ";
    text.append("--").append(row.name);
  }
  if (row.value != nullptr) text.append(" ").append(row.value);
  return text;
}

std::string two_columns(std::span<const Line> lines) {
  size_t width = 0;
  for (const Line& line : lines) width = std::max(width, line.left.size());
  std::string text;
  for (const Line& line : lines) {
    text.append(line.left)
        .append(width + 2 - line.left.size(), ' ')
        .append(line.right)
        .append("\n");
  }
  return text;
}

std::string option_help(std::span<const OptionRow> rows) {
  std::vector<Line> lines;
  for (const OptionRow& row : rows) {
    if (row.help != nullptr) lines.push_back({option_column(row), row.help});
  }
  lines.push_back({"  -h, --help", "show this help"});
  return two_columns(lines);
}

}  // namespace

std::string usage_line(const Program& program, const CommandRow& command) {
  std::string text = std::string(program.name) + " " + command.name;
  if (!command.options.empty()) text += " [OPTION]...";
  if (*command.operands != 0) text.append(" ").append(command.operands);
  return text;
}

std::string general_help(const Program& program) {
  std::vector<Line> lines;
  for (const CommandRow* command : program.commands) {
    if (command->summary != nullptr)
      lines.push_back({std::string("  ") + command->name, command->summary});
  }
  const std::string name(program.name);
  std::string text(program.summary);
  text.append("\n\nUsage: " + name + " [OPTION]... COMMAND [ARGUMENT]...\n\nCommands:\n");
  text.append(two_columns(lines)).append("\nOptions:\n").append(option_help(program.options));
  return text.append("\n'" + name + " COMMAND --help' shows the options of a command.\n");
}

std::string command_help(const Program& program, const CommandRow& command) {
  std::string text = std::string(program.name) + " " + command.name;
  if (command.summary == nullptr) return text.append(": not supported yet\n");
  text.append(": ").append(command.summary);
  text.append("\n\nUsage: ").append(usage_line(program, command));
  return text.append("\n\nOptions:\n").append(option_help(command.options));
}

}  // namespace onggi::cli
