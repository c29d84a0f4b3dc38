// SPDX-License-Identifier: Apache-2.0
// The bash completion: a function with one case per command. Values complete by what help calls
// them: words for "text|json", directories for DIR, files for FILE, ids for CONTAINER-ID.
#include "commandline/program.h"

#include <string>

namespace onggi::cli {
namespace {

std::string words_of(std::string_view choices) {
  std::string words(choices);
  for (char& c : words) {
    if (c == '|') c = ' ';
  }
  return words;
}

std::string names_of(std::span<const OptionRow> rows) {
  std::string names = "--help";
  for (const OptionRow& row : rows) {
    if (row.help != nullptr && *row.name != 0) names.append(" --").append(row.name);
  }
  return names;
}

// "    --bundle|-b) COMPREPLY=(...); return ;;" for a row with a value.
std::string value_case(const OptionRow& row) {
  if (row.value == nullptr || row.help == nullptr) return {};
  const std::string_view value = row.value;
  std::string text = "    " + spelling(row);
  if (row.letter != 0 && *row.name != 0) text.append("|-").append(1, row.letter);
  text += ") COMPREPLY=(";
  if (value.find('|') != std::string_view::npos) {
    text.append("$(compgen -W '").append(words_of(value)).append("' -- \"$word\")");
  } else if (value == "DIR") {
    text += "$(compgen -d -- \"$word\")";
  } else if (value == "FILE" || value == "SOCKET") {
    text += "$(compgen -f -- \"$word\")";
  }
  return text.append("); return ;;\n");
}

std::string value_cases(std::span<const OptionRow> rows) {
  std::string text;
  for (const OptionRow& row : rows) text += value_case(row);
  if (text.empty()) return {};
  return "    case $previous in\n" + text + "    esac\n";
}

std::string operand_words(const Program& program, const CommandRow& command) {
  const std::string_view operands = command.operands;
  for (const OperandWords& each : program.operand_words) {
    if (operands.find(each.operand) != std::string_view::npos) return " " + std::string(each.words);
  }
  if (operands.find("COMMAND") != std::string_view::npos) return " $commands";
  if (operands == "bash") return " bash";
  return {};
}

// "-" would end the name of a function.
std::string function_name(std::string_view program) {
  std::string name = "_" + std::string(program);
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

}  // namespace

std::string bash_completion(const Program& program) {
  const std::string name(program.name), function = function_name(program.name);
  std::string names;
  std::string cases;
  for (const CommandRow* command : program.commands) {
    if (command->summary == nullptr) continue;
    names.append(names.empty() ? "" : " ").append(command->name);
    cases.append("  ").append(command->name).append(")\n").append(value_cases(command->options));
    cases.append("    COMPREPLY=($(compgen -W \"")
        .append(names_of(command->options))
        .append(operand_words(program, *command));
    cases.append("\" -- \"$word\")) ;;\n");
  }
  std::string text = "# bash completion for " + name + "\n" + function + "() {\n";
  text +=
      "  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} command= each\n"
      "  local commands='" +
      names +
      "'\n"
      "  for each in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
      "    case \" $commands \" in *\" $each \"*) command=$each; break ;; esac\n"
      "  done\n"
      "  case $command in\n" +
      cases + "  '')\n" + value_cases(program.options) + "    COMPREPLY=($(compgen -W \"" +
      names_of(program.options) +
      " $commands\" -- \"$word\")) ;;\n"
      "  esac\n"
      "}\n";
  return text + "complete -F " + function + " " + name + "\n";
}

}  // namespace onggi::cli
