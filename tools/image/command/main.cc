// SPDX-License-Identifier: Apache-2.0
// Global options, then the command. The only place that reports errors.
#include "base/log.h"
#include "base/size.h"
#include "base/text.h"
#include "command/command.h"

#include <csignal>

namespace onggi::image {
namespace {

int fail(std::string_view command, const Error& error, int status = 1) {
  log::report(command, error);
  return status;
}

int finish(std::string_view command, const Result<int>& result, int failure_status = 1) {
  return result ? result.value() : fail(command, result.error(), failure_status);
}

// Whoever names a size trusts the image up to it, however well it is compressed.
Result<> read_limits(GlobalOptions& global) {
  if (global.max_layer_size.empty()) return {};
  const std::optional<int64_t> size = parse_size(global.max_layer_size);
  if (!size || *size <= 0) {
    return with_hint(make_error(ErrorKind::invalid_config, "--max-layer-size '",
                                global.max_layer_size, "' is not valid"),
                     "use a size such as 500m or 200g");
  }
  global.limits.bytes = global.limits.ratio_from = static_cast<uint64_t>(*size);
  return {};
}

Result<> read_stall_timeout(GlobalOptions& global) {
  constexpr long kLongest = 24L * 60 * 60;
  if (global.stall_timeout.empty()) return {};
  const std::optional<long> seconds = parse_decimal<long>(global.stall_timeout);
  if (!seconds || *seconds < 1 || *seconds > kLongest) {
    return make_error(ErrorKind::invalid_config, "--stall-timeout '", global.stall_timeout,
                      "' must be a number of seconds from 1 to ", kLongest);
  }
  global.stall_seconds = *seconds;
  return {};
}

int run(cli::Arguments arguments) {
  const cli::Program self = program();
  log::set_program(self.name);
  GlobalOptions global;
  const Result<cli::ParsedArguments> parsed =
      cli::parse_options(self.options, &global, arguments, cli::Operands::last);
  if (!parsed) return fail("", parsed.error());
  const Result<> limited = read_limits(global);
  if (!limited) return fail("", limited.error());
  const Result<> timed = read_stall_timeout(global);
  if (!timed) return fail("", timed.error());
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
  return finish(subject.empty() ? command.name : command.name + (" " + subject), result,
                command.failure_status);
}

}  // namespace
}  // namespace onggi::image

int main(int argc, char** argv) {
  // A closed standard output is an error to be told, not a death without a word.
  (void)signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string_view> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  return onggi::image::run(arguments);
}
