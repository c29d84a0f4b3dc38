// SPDX-License-Identifier: Apache-2.0
// What all commands share: operand counts, standard output.
#include "commandline/program.h"

#include "base/file.h"
#include "base/log.h"
#include "base/nearest.h"

#include <unistd.h>

#include <algorithm>

namespace onggi::cli {
namespace {

struct OperandCount {
  size_t least = 0, most = 0;
};

bool takes_command(std::string_view usage) {
  return usage.ends_with("...]");
}

OperandCount count_operands(std::string_view usage) {
  OperandCount count;
  while (!usage.empty()) {
    const size_t end = std::min(usage.find(' '), usage.size());
    ++count.most;
    if (usage.substr(0, end).find("...") != std::string_view::npos) count.most = SIZE_MAX;
    if (usage[0] != '[') ++count.least;
    usage.remove_prefix(std::min(end + 1, usage.size()));
  }
  return count;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

// An option that the command does not have: is it one of the program, or of another tool's command?
Error with_help(const Program& program, const CommandRow& command, Error error) {
  constexpr std::string_view kUnknown = "unknown option '";
  const std::string message(error.message.view());
  if (!message.starts_with(kUnknown)) return error;
  const std::string name = message.substr(kUnknown.size(), message.size() - kUnknown.size() - 1);
  for (const OptionRow& row : program.options) {
    if (row.help == nullptr || *row.name == 0 || spelling(row) != name) continue;
    const std::string value = row.value == nullptr ? "" : std::string(" ") + row.value;
    error =
        make_error(ErrorKind::invalid_config, name, " must come before the command: ", program.name,
                   " ", name, value, " ", command.name, " ...");
    return error;
  }
  for (const ForeignOptions& foreign : program.foreign_options) {
    if (foreign.command != command.name || !has_word(foreign.options, name)) continue;
    error.hint = FixedText<160>(foreign.hint);
  }
  return with_hint(error, text<160>("try '", program.name, " ", command.name, " --help'").view());
}

}  // namespace

Result<const CommandRow*> find_command(const Program& program, std::string_view name) {
  const auto other = std::ranges::find(
      program.other_names, name, [](const OtherName& each) { return std::string_view(each.name); });
  if (other != program.other_names.end()) {
    if (other->command != nullptr) return find_command(program, other->command);
    return with_hint(unsupported("", program.name, " has no command '", name, "'"), other->instead);
  }
  std::vector<std::string_view> names;
  for (const OtherName& each : program.other_names) names.emplace_back(each.name);
  for (const CommandRow* each : program.commands) {
    if (each->name == name) return each;
    names.emplace_back(each->name);
  }
  Error error = make_error(ErrorKind::invalid_config, "unknown command '", name, "'");
  const std::string_view meant = nearest(name, names);
  if (!meant.empty()) error.hint.append("did you mean '", meant, "'?");
  return error;
}

Result<ParsedArguments> parse_command(const Program& program, const CommandRow& command,
                                      void* target, Arguments arguments, std::string& subject) {
  Result<ParsedArguments> result =
      parse_options(command.options, target, arguments,
                    takes_command(command.operands) ? Operands::last : Operands::mixed);
  if (!result) return with_help(program, command, result.error());
  ParsedArguments parsed = std::move(result).value();
  if (parsed.help) return parsed;
  if (!parsed.operands.empty()) subject = parsed.operands[0];
  log::set_command(command.name, subject);
  const OperandCount count = count_operands(command.operands);
  if (parsed.operands.size() < count.least) {
    return with_hint(make_error(ErrorKind::invalid_config, "too few arguments"),
                     text<160>("usage: ", usage_line(program, command)).view());
  }
  if (parsed.operands.size() > count.most) {
    return with_hint(make_error(ErrorKind::invalid_config, "unexpected argument '",
                                parsed.operands[count.most], "'"),
                     text<160>("usage: ", usage_line(program, command)).view());
  }
  return parsed;
}

Result<int> print_help(const Program& program, Arguments command) {
  if (command.empty()) return print(general_help(program));
  const CommandRow* row = TRY(find_command(program, command[0]));
  return print(command_help(program, *row));
}

Result<int> print_completion(const Program& program, std::string_view shell) {
  if (shell == "bash") return print(bash_completion(program));
  return make_error(ErrorKind::unsupported, "no completion for '", shell,
                    "': only bash is supported");
}

Result<int> print(std::string_view text) {
  TRY(write_all(STDOUT_FILENO, "standard output", text));
  return 0;
}

}  // namespace onggi::cli
