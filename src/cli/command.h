// SPDX-License-Identifier: Apache-2.0
// A command as data: its name, operands and options, and the function behind them.
#pragma once

#include "base/log.h"
#include "cli/options.h"
#include "runtime/runtime.h"

#include <string>

namespace onggi::cli {

struct GlobalOptions {
  std::string root, log;
  log::Format log_format = log::Format::text;
  log::Level log_level = log::Level::error;
  CgroupManager cgroup_manager = CgroupManager::cgroupfs;
  Rootless rootless = Rootless::automatic;
  bool version = false;
};

struct Command {
  const char* name;
  const char* operands;  // as help shows them; their number is read from it: "CONTAINER-ID
                         // [SIGNAL]" is one or two
  const char* summary;   // nullptr: not shown
  std::span<const OptionRow> options;
  // `subject` becomes what the command is about (the container's id), for the error message.
  Result<int> (*invoke)(const Command& command, const GlobalOptions& global, Arguments arguments,
                        std::string& subject);  // nullptr: not supported yet
  int failure_status = 1;
};

// In the order that help shows.
std::span<const Command> commands();
std::span<const OptionRow> global_options();
// An unknown name is an error that suggests a near one.
Result<const Command*> find_command(std::string_view name);

// Options into `target`, and a check of the number of operands.
Result<ParsedArguments> parse_command(const Command& command, void* target, Arguments arguments,
                                      std::string& subject);

// What a command's function gets beside its options.
struct Context {
  const GlobalOptions& global;
  Arguments operands;
};

// The state root is made absolute, because the runtime leaves the caller's directory.
Result<RuntimeOptions> runtime_options(const GlobalOptions& global);

// `text` on standard output; the value is the exit status 0.
Result<int> print(std::string_view text);
Result<int> print_command_help(const Command& command);

template <const auto& Table, auto Function>
Result<int> invoke(const Command& command, const GlobalOptions& global, Arguments arguments,
                   std::string& subject) {
  typename std::remove_cvref_t<decltype(Table)>::target_type target;
  const ParsedArguments parsed = TRY(parse_command(command, &target, arguments, subject));
  if (parsed.help) return print_command_help(command);
  return Function(Context{global, parsed.operands}, target);
}

template <const auto& Table, auto Function>
constexpr Command command(const char* name, const char* operands, const char* summary,
                          int failure_status = 1) {
  return {name, operands, summary, Table, invoke<Table, Function>, failure_status};
}

// Commands that engines may call and that are to come: they fail before they touch anything.
constexpr Command planned_command(const char* name) {
  return {name, "", nullptr, {}, nullptr};
}

}  // namespace onggi::cli
