// SPDX-License-Identifier: Apache-2.0
// Global options, the log, then the command. The only place that reports errors.
#include "cli/cli.h"

#include "base/timing.h"
#include "cli/about.h"
#include "cli/command.h"

namespace onggi::cli {
namespace {

int fail(std::string_view command, const Error& error, int status = 1) {
  log::report(command, error);
  return status;
}

int finish(std::string_view command, const Result<int>& result, int failure_status) {
  return result ? result.value() : fail(command, result.error(), failure_status);
}

int run_named(const Program& program, const GlobalOptions& global, Arguments words) {
  const Result<const CommandRow*> found = find_command(program, words[0]);
  if (!found) return fail("", found.error());
  const auto& command = static_cast<const Command&>(*found.value());
  const Arguments arguments = words.subspan(1);
  if (command.invoke == nullptr) {
    // Options of a planned command are not known, so only a first word without dash is surely its
    // container.
    std::string label = command.name;
    if (!arguments.empty() && !arguments[0].starts_with('-'))
      label.append(" ").append(arguments[0]);
    return fail(label, unsupported("", "not supported yet"), command.failure_status);
  }
  std::string subject;
  const Result<int> result = command.invoke(command, program, global, arguments, subject);
  return finish(subject.empty() ? command.name : command.name + (" " + subject), result,
                command.failure_status);
}

}  // namespace

int run(Arguments arguments) {
  const Program onggi = program();
  GlobalOptions global;
  const Result<ParsedArguments> parsed =
      parse_options(onggi.options, &global, arguments, Operands::last);
  // Opened even after a wrong option, so that an engine finds the error where it looks for it.
  const Result<> opened = log::open({global.log, global.log_format, global.log_level});
  if (!parsed) return fail("", parsed.error());
  if (!opened) return fail("", opened.error());
  const std::vector<std::string_view>& words = parsed.value().operands;
  if (parsed.value().help) return finish("", print(general_help(onggi)), 1);
  if (global.version) return finish("", print(version_text()), 1);
  if (words.empty())
    return fail("",
                with_hint(make_error(ErrorKind::invalid_config, "no command"), "try 'onggi help'"));
  // Standard error may be the program's.
  if (words[0] != "create" && words[0] != "run" && words[0] != "exec") log::show_warnings();
  if (global.timing) timing::begin();
  const int status = run_named(onggi, global, words);
  timing::print();
  return status;
}

}  // namespace onggi::cli
