// SPDX-License-Identifier: Apache-2.0
// A row of the table of commands together with the function behind it. Global is the struct of the
// program's global options.
#pragma once

#include "commandline/program.h"

namespace onggi::cli {

// What a command's function gets beside its own options.
template <class Global>
struct BasicContext {
  const Program& program;
  const Global& global;
  Arguments operands;
};

template <class Global>
struct BasicCommand : CommandRow {
  using Invoke = Result<int> (*)(const BasicCommand& command, const Program& program,
                                 const Global& global, Arguments arguments, std::string& subject);
  Invoke invoke;  // nullptr: not supported yet
  int failure_status = 1;
};

namespace detail {

template <class Global, const auto& Table, auto Function>
Result<int> invoke(const BasicCommand<Global>& command, const Program& program,
                   const Global& global, Arguments arguments, std::string& subject) {
  typename std::remove_cvref_t<decltype(Table)>::target_type target;
  const ParsedArguments parsed = TRY(parse_command(program, command, &target, arguments, subject));
  if (parsed.help) return print(command_help(program, command));
  return Function(BasicContext<Global>{program, global, parsed.operands}, target);
}

}  // namespace detail

template <class Global, const auto& Table, auto Function>
constexpr BasicCommand<Global> basic_command(const char* name, const char* operands,
                                             const char* summary, int failure_status = 1) {
  return {
      {name, operands, summary, Table}, detail::invoke<Global, Table, Function>, failure_status};
}

// Commands that engines may call and that are to come: they fail before they touch anything.
template <class Global>
constexpr BasicCommand<Global> basic_planned_command(const char* name) {
  return {{name, "", nullptr, {}}, nullptr};
}

struct NoOptions {};

// Commands that every program has.
template <class Global>
Result<int> help(const BasicContext<Global>& context, const NoOptions&) {
  return print_help(context.program, context.operands);
}
template <class Global>
Result<int> completion(const BasicContext<Global>& context, const NoOptions&) {
  return print_completion(context.program, context.operands[0]);
}
template <class Global>
Result<int> man(const BasicContext<Global>& context, const NoOptions&) {
  return print(man_page(context.program));
}

template <class Global>
std::vector<const CommandRow*> rows_of(std::span<const BasicCommand<Global>> commands) {
  std::vector<const CommandRow*> rows;
  for (const BasicCommand<Global>& each : commands) rows.push_back(&each);
  return rows;
}

}  // namespace onggi::cli
