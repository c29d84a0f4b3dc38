// SPDX-License-Identifier: Apache-2.0
// The sink is the only global state of the program. With a log file, standard error keeps the
// readable form and the file gets the asked one; without it, standard error is the log.
#include "base/log.h"

#include "base/ascii.h"
#include "base/caller_path.h"
#include "base/errno_table.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hints.h"
#include "base/json_writer.h"
#include "base/utc.h"
#include "base/utf8.h"

#include <poll.h>
#include <unistd.h>

namespace onggi::log {
namespace {

struct State {
  UniqueFd file;
  Format format = Format::text;
  Level level = Level::error;
  bool show_warnings = false;
  FixedText<288> command;
  std::string_view program = "onggi";
};
constinit State state;

constexpr std::string_view kLevelNames[] = {"error", "warning", "info", "debug"};
constexpr std::string_view kKindNames[] = {"system", "invalid_config", "unsupported", "state",
                                           "internal"};

std::string_view level_name(Level level) {
  return kLevelNames[static_cast<size_t>(level)];
}

// "mounts[3]: open_tree '/srv/data': no such file or directory (the source of a bind mount must
// exist)"
std::string describe(const Error& error) {
  std::string text;
  if (!error.place.empty()) text.append(error.place.view()).append(": ");
  text.append(error.message.view());
  if (error.errnum != 0) {
    text.append(": ").append(errno_text(error.errnum));
  }
  std::string_view hint = error.hint.view();
  if (hint.empty()) hint = hint_for(error.message.view(), error.errnum);
  if (hint.empty() && error.kind == ErrorKind::internal) hint = "this is a bug in onggi";
  if (!hint.empty()) text.append(" (").append(hint).append(")");
  return printable(text);
}

JsonWriter& begin_entry(JsonWriter& json, Level level, std::string_view message,
                        std::string_view time) {
  return json.begin_object()
      .field("msg", message)
      .field("level", level_name(level))
      .field("time", time);
}

// Nothing can be done about a log that cannot be written.
void write_line(int fd, std::string line) {
  line += '\n';
  (void)write_all(fd, "log", line);
}

// Whoever reads a pipe may have stopped: it is waited for once.
void write_to_file(std::string line) {
  constexpr timespec kPatience = {.tv_sec = 3, .tv_nsec = 0};
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const long count = sys::write(state.file.get(), rest.data(), rest.size());
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    if (count > 0) continue;
    pollfd polled = {.fd = state.file.get(), .events = POLLOUT, .revents = 0};
    timespec left = kPatience;
    if (count == -EAGAIN && sys::retry(SYS_ppoll, &polled, 1, &left, nullptr, 0) == 1) continue;
    return state.file.reset();
  }
}

struct Sinks {
  bool file, standard_error;
};

void write_entry(std::string_view text, std::string_view json, Sinks sinks) {
  const bool has_file = static_cast<bool>(state.file);
  if (sinks.standard_error || !has_file)
    write_line(STDERR_FILENO, std::string(!has_file && state.format == Format::json ? json : text));
  if (!has_file || !sinks.file) return;
  if (state.format == Format::json) return write_to_file(std::string(json));
  write_to_file(utc_now(Precision::seconds).append(" ").append(text));
}

void write_message(Level level, std::string_view message, Show show = Show::if_asked) {
  const bool asked = level <= state.level;
  const bool shown = level == Level::warning && (state.show_warnings || show == Show::always);
  if (!asked && !shown) return;
  const std::string clean = printable(message);
  JsonWriter json;
  // Steps and hooks take less than a second.
  const Precision precision = level == Level::debug ? Precision::nanoseconds : Precision::seconds;
  begin_entry(json, level, clean, utc_now(precision));
  if (!state.command.empty()) json.field("command", printable(state.command.view()));
  json.end_object();
  write_entry(
      std::string(state.program).append(": ").append(level_name(level)).append(": ").append(clean),
      std::move(json).take(), {.file = asked, .standard_error = level != Level::debug});
}

// crun's names for what is not a file would otherwise become files.
Result<std::string> file_of(std::string_view sink) {
  constexpr std::string_view kFile = "file:";
  for (std::string_view other : {"journald:", "syslog:"}) {
    if (sink.starts_with(other)) {
      return with_hint(unsupported("", "--log '", sink, "': only files are supported"),
                       "pipe standard error to systemd-cat(1) or logger(1)");
    }
  }
  if (sink.starts_with(kFile)) sink.remove_prefix(kFile.size());
  return std::string(sink);
}

}  // namespace

Result<> open(const Sink& sink) {
  state.format = sink.format;
  state.level = sink.level;
  if (sink.path.empty()) return {};
  const std::string path = TRY(file_of(sink.path));
  state.file = TRY(open_callers_log(path));
  return {};
}

void set_command(std::string_view name, std::string_view subject) {
  state.command = {};
  state.command.append(name);
  if (!subject.empty()) state.command.append(" ", subject);
}

void set_program(std::string_view name) {
  state.program = name;
}

void show_warnings() {
  state.show_warnings = true;
}

std::string errno_text(int errnum) {
  std::string text(errno_description(errnum));
  if (text.empty()) return "unknown errno";
  const bool abbreviation = is_upper(text[1]);
  if (!abbreviation) text[0] = lower_case(text[0]);
  return text;
}

void warn(std::string_view message, Show show) {
  write_message(Level::warning, message, show);
}
void warn(std::string_view subject, const Error& error) {
  write_message(Level::warning, std::string(subject).append(": ").append(describe(error)));
}
void error(std::string_view message) {
  write_message(Level::error, message);
}
void debug(std::string_view message) {
  write_message(Level::debug, message);
}
bool shows_debug() {
  return state.level >= Level::debug;
}

std::string error_text(std::string_view command, const Error& error) {
  std::string text(state.program);
  text += ": ";
  if (!command.empty()) text.append(printable(command)).append(": ");
  return text.append(describe(error));
}

std::string error_json(std::string_view command, const Error& error, std::string_view time) {
  JsonWriter json;
  begin_entry(json, Level::error, describe(error), time);
  if (!command.empty()) json.field("command", printable(command));
  if (!error.place.empty()) json.field("field", error.place.view());
  const std::string_view name = errno_name(error.errnum);
  if (!name.empty()) json.field("errno", name);
  json.field("code", kKindNames[static_cast<size_t>(error.kind)]).end_object();
  return std::move(json).take();
}

void report(std::string_view command, const Error& error) {
  write_entry(error_text(command, error), error_json(command, error, utc_now(Precision::seconds)),
              {.file = true, .standard_error = true});
}

}  // namespace onggi::log
