// SPDX-License-Identifier: Apache-2.0
// What all commands share: operand counts, the state root, standard output.
#include "cli/command.h"

#include "base/file.h"
#include "base/path.h"
#include "cli/help.h"

#include <unistd.h>

#include <algorithm>
#include <climits>

namespace onggi::cli {
namespace {

struct OperandCount {
  size_t least = 0, most = 0;
};

// "[ARGUMENT...]": what follows belongs to another program, its options too.
bool takes_command(std::string_view usage) {
  return usage.ends_with("...]");
}

OperandCount count_operands(std::string_view usage) {
  OperandCount count;
  while (!usage.empty()) {
    const size_t end = std::min(usage.find(' '), usage.size());
    ++count.most;
    if (takes_command(usage.substr(0, end))) count.most = SIZE_MAX;
    if (usage[0] != '[') ++count.least;
    usage.remove_prefix(std::min(end + 1, usage.size()));
  }
  return count;
}

}  // namespace

Result<const Command*> find_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Command& each : commands()) {
    if (each.name == name) return &each;
    names.emplace_back(each.name);
  }
  Error error = make_error(ErrorKind::invalid_config, "unknown command '", name, "'");
  const std::string_view meant = nearest(name, names);
  if (!meant.empty()) error.hint.append("did you mean '", meant, "'?");
  return error;
}

Result<ParsedArguments> parse_command(const Command& command, void* target, Arguments arguments,
                                      std::string& subject) {
  ParsedArguments parsed =
      TRY(parse_options(command.options, target, arguments,
                        takes_command(command.operands) ? Operands::last : Operands::mixed));
  if (parsed.help) return parsed;
  if (!parsed.operands.empty()) subject = parsed.operands[0];
  const OperandCount count = count_operands(command.operands);
  if (parsed.operands.size() < count.least) {
    return with_hint(make_error(ErrorKind::invalid_config, "too few arguments"),
                     text<160>("usage: ", usage_line(command)).view());
  }
  if (parsed.operands.size() > count.most) {
    return with_hint(make_error(ErrorKind::invalid_config, "unexpected argument '",
                                parsed.operands[count.most], "'"),
                     text<160>("usage: ", usage_line(command)).view());
  }
  return parsed;
}

Result<RuntimeOptions> runtime_options(const GlobalOptions& global) {
  RuntimeOptions options;
  options.cgroup_manager = global.cgroup_manager;
  options.rootless = global.rootless;
  if (global.root.empty()) {
    options.root = TRY(default_root());
    return options;
  }
  char directory[PATH_MAX] = {};
  if (!global.root.starts_with('/')) {
    const long size = sys::getcwd(directory, sizeof directory);
    if (size < 0) return system_error(size, "getcwd");
  }
  options.root = join_path(directory, global.root);
  return options;
}

Result<int> print(std::string_view text) {
  TRY(write_all(STDOUT_FILENO, "standard output", text));
  return 0;
}

Result<int> print_command_help(const Command& command) {
  return print(command_help(command));
}

}  // namespace onggi::cli
