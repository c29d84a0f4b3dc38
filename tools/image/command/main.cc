// SPDX-License-Identifier: Apache-2.0
// Global options, then the command. The only place that reports errors.
#include "base/log.h"
#include "command/command.h"

#include <csignal>

namespace onggi::image {
namespace {

int fail(std::string_view command, const Error& error) {
  log::report(command, error);
  return 1;
}

int finish(std::string_view command, const Result<int>& result) {
  return result ? result.value() : fail(command, result.error());
}

int run(cli::Arguments arguments) {
  const cli::Program self = program();
  log::set_program(self.name);
  GlobalOptions global;
  const Result<cli::ParsedArguments> parsed =
      cli::parse_options(self.options, &global, arguments, cli::Operands::last);
  if (!parsed) return fail("", parsed.error());
  if (global.debug) {
    const Result<> opened = log::open({"", log::Format::text, log::Level::debug});
    if (!opened) return fail("", opened.error());
  }
  log::show_warnings();
  const std::vector<std::string_view>& words = parsed.value().operands;
  if (parsed.value().help) return finish("", cli::print(cli::general_help(self)));
  if (global.version)
    return finish("",
                  cli::print("onggi-image version " ONGGI_VERSION "\ncommit: " ONGGI_COMMIT "\n"));
  if (words.empty()) {
    return fail("", with_hint(make_error(ErrorKind::invalid_config, "no command"),
                              "try 'onggi-image help'"));
  }
  const Result<const cli::CommandRow*> found = cli::find_command(self, words[0]);
  if (!found) return fail("", found.error());
  const auto& command = static_cast<const Command&>(*found.value());
  std::string subject;
  const Result<int> result =
      command.invoke(command, self, global, cli::Arguments(words).subspan(1), subject);
  return finish(subject.empty() ? command.name : command.name + (" " + subject), result);
}

}  // namespace
}  // namespace onggi::image

int main(int argc, char** argv) {
  // A closed standard output is an error to be told, not a death without a word.
  (void)signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return onggi::image::run(arguments);
}
