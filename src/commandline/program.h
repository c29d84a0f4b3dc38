// SPDX-License-Identifier: Apache-2.0
// A program's command line as data: global options and commands, each with its operands and
// options. From these rows come the parser, the help texts, the bash completion and the man page.
#pragma once

#include "commandline/options.h"

#include <string>

namespace onggi::cli {

struct CommandRow {
  const char* name;
  // As help shows them; their number is read from it: "CONTAINER-ID [SIGNAL]" is one or two, and
  // "[ARGUMENT...]" ends the options: what follows belongs to another program.
  const char* operands;
  const char* summary;  // nullptr: not shown
  std::span<const OptionRow> options;
};

// A command as other programs name it, for users who know those.
struct OtherName {
  const char* name;
  const char* command;  // ours that it stands for; nullptr: there is none
  const char* instead;  // what to use then
};

// What the shell completes an operand by, within double quotes.
struct OperandWords {
  std::string_view operand;  // "CONTAINER-ID"
  std::string_view words;    // "$(onggi list --quiet 2>/dev/null)"
};

// Options of other tools for a command, separated by blanks, and the hint for them.
struct ForeignOptions {
  std::string_view command, options, hint;
};

struct Program {
  std::string_view name;     // "onggi"
  std::string_view summary;  // a sentence
  std::string_view version;
  std::string_view title;        // in the man page, behind the name
  std::string_view description;  // of the man page, in roff
  std::string_view exit_status;  // the same
  std::span<const OptionRow> options;
  std::vector<const CommandRow*> commands;  // in the order that help shows
  std::vector<OperandWords> operand_words;
  std::span<const OtherName> other_names = {};
  std::vector<ForeignOptions> foreign_options = {};
};

// Also by one of the other names. An unknown name is an error that suggests a near one.
Result<const CommandRow*> find_command(const Program& program, std::string_view name);

// Options into `target`, whose type must be that of the rows, and a check of the number of
// operands. `subject` becomes the first operand, for the error message.
Result<ParsedArguments> parse_command(const Program& program, const CommandRow& command,
                                      void* target, Arguments arguments, std::string& subject);

// "onggi kill [OPTION]... CONTAINER-ID [SIGNAL]"
std::string usage_line(const Program& program, const CommandRow& command);
std::string general_help(const Program& program);
std::string command_help(const Program& program, const CommandRow& command);
std::string bash_completion(const Program& program);
std::string man_page(const Program& program);  // roff, man(7)

// The program's, or the one command's.
Result<int> print_help(const Program& program, Arguments command);
Result<int> print_completion(const Program& program, std::string_view shell);
// `text` on standard output; the value is the exit status 0.
Result<int> print(std::string_view text);

}  // namespace onggi::cli
