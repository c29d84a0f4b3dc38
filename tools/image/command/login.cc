// SPDX-License-Identifier: Apache-2.0
// `login [REGISTRY]`: the password is never an argument, where `ps` and the shell's history would
// have it.
#include "base/file.h"
#include "command/question.h"
#include "command/remote.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>

namespace onggi::image {
namespace {

// No echo, and no signals that would leave the terminal like this.
class SilentTerminal {
 public:
  SilentTerminal() {
    is_changed_ = tcgetattr(STDIN_FILENO, &before_) == 0;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    if (is_changed_) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() {
    if (is_changed_) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    (void)write_all(STDERR_FILENO, "standard error", "\n");
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  termios before_ = {};
  bool is_changed_ = false;
};

Result<std::string> read_password(const RemoteFlags& flags, bool is_terminal) {
  if (flags.password_stdin) {
    return without_line_end(TRY(read_all(STDIN_FILENO, "standard input", kLongestAnswer)));
  }
  if (!is_terminal) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "cannot ask for the password: no terminal"),
        "use --password-stdin to read it from standard input");
  }
  const SilentTerminal silent;
  return read_line("Password: ");
}

}  // namespace

Result<int> login_command(const Context& context, const RemoteFlags& flags) {
  const LoginPlace place =
      TRY(parse_login_place(context.operands.empty() ? std::string_view() : context.operands[0]));
  const bool is_terminal = isatty(STDIN_FILENO) != 0;
  Credentials credentials;
  credentials.user = flags.username;
  if (credentials.user.empty() && is_terminal && !flags.password_stdin)
    credentials.user = TRY(read_line("Username: "));
  if (credentials.user.empty() || credentials.user.find(':') != std::string::npos) {
    return with_hint(make_error(ErrorKind::invalid_config, "a user name without ':' is required"),
                     "pass --username USER");
  }
  credentials.password = TRY(read_password(flags, is_terminal));
  if (credentials.password.empty())
    return make_error(ErrorKind::invalid_config, "the password is empty");
  AccessOptions options =
      access_options(flags.authfile, flags.plain_http, context.global.stall_seconds);
  const std::string file = TRY(login_file(options.credentials, place.key));
  options.credentials.given = credentials;
  Registries registries(std::move(options));
  const std::unique_ptr<Access> access = TRY(registries.access(place.image));
  TRY(Registry(*access).check_credentials());
  TRY(store_login(file, place.key, credentials));
  return cli::print("credentials for " + place.key + " are stored in " + file + "\n");
}

}  // namespace onggi::image
