// SPDX-License-Identifier: Apache-2.0
// Warnings and the final error of a command. Library code returns errors; only src/cli reports
// them, and only a failure that is deliberately survived is logged where it happens ("...,
// ignoring").
#pragma once

#include "base/error.h"
#include "base/result.h"

#include <string>
#include <string_view>

namespace onggi::log {

enum class Level { error, warning, info, debug };
enum class Format { text, json };

// `path` empty: standard error only. Engines (podman) parse the whole log file as one JSON object,
// so a file in JSON gets the final error alone; warnings go to it only when `level` asks for them.
struct Sink {
  std::string_view path;
  Format format = Format::text;
  Level level = Level::error;
};
Result<> open(const Sink& sink);

// What runs, for the entries of a JSON log: "create" of "web".
void set_command(std::string_view name, std::string_view subject);

// What stands before each line instead of "onggi".
void set_program(std::string_view name);

// Warnings on standard error, asked for or not. Not for create, run and exec: theirs is the
// program's, and an engine keeps it as its log.
void show_warnings();

// `always`: on standard error also of create, run and exec, for what the user surely does not know.
enum class Show { if_asked, always };
void warn(std::string_view message, Show show = Show::if_asked);
// A failure that is survived, after what it belongs to: "web: state.json is damaged (...)".
void warn(std::string_view subject, const Error& error);
// A failure that is survived and that the specification has to be logged, whatever the level.
void error(std::string_view message);
// With a log file, in that alone: standard error may be the program's.
void debug(std::string_view message);
// Whether debug() does anything: for messages that cost something to put together.
bool shows_debug();

// The one line of a failed command, on standard error and in the log file: "onggi: create web:
// mounts[3]: ...". `command` is for instance "create web".
void report(std::string_view command, const Error& error);

// "permission denied", as Go writes it: docker's client compares with case to tell its exit status
// 126 from 127.
std::string errno_text(int errnum);

// The same as values. `time` is RFC 3339.
std::string error_text(std::string_view command, const Error& error);
std::string error_json(std::string_view command, const Error& error, std::string_view time);

}  // namespace onggi::log
