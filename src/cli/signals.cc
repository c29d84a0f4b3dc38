// SPDX-License-Identifier: Apache-2.0
// The names are those of sigabbrev_np(3). Above them are the real-time signals.
#include "cli/signals.h"

#include "base/ascii.h"

#include <csignal>
#include <iterator>
#include <optional>
#include <string>

namespace onggi::cli {
namespace {

// The C library keeps two of the kernel's real-time signals, from 32 on, to itself: 34 is what
// `kill -l` and the engines call SIGRTMIN.
constexpr int kLeastRealTime = 34, kHighestSignal = 64;

// From signal 1 on. The text itself, since a pointer to it would be relocated at every start.
constexpr char kNames[][7] = {"HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",  "FPE",
                              "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM", "STKFLT",
                              "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",  "XCPU",
                              "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR",  "SYS"};
static_assert(std::size(kNames) == SIGSYS);

struct Alias {
  std::string_view name;
  int signal;
};
constexpr Alias kAliases[] = {{"CLD", SIGCHLD}, {"IO", SIGIO}, {"IOT", SIGABRT}};

std::optional<int> real_time_signal(std::string_view name) {
  if (!name.starts_with("RTMIN") && !name.starts_with("RTMAX")) return std::nullopt;
  const bool from_least = name[4] == 'N';
  const std::string_view offset = name.substr(5);
  if (offset.empty()) return from_least ? kLeastRealTime : kHighestSignal;
  if (offset[0] != (from_least ? '+' : '-')) return std::nullopt;
  const std::optional<unsigned> distance = parse_decimal<unsigned>(offset.substr(1));
  if (!distance || *distance > unsigned{kHighestSignal - kLeastRealTime}) return std::nullopt;
  const int steps = static_cast<int>(*distance);
  return from_least ? kLeastRealTime + steps : kHighestSignal - steps;
}

std::optional<int> named_signal(std::string_view name) {
  for (size_t i = 0; i < std::size(kNames); i++) {
    if (name == kNames[i]) return static_cast<int>(i) + 1;
  }
  for (const Alias& alias : kAliases) {
    if (name == alias.name) return alias.signal;
  }
  return real_time_signal(name);
}

}  // namespace

Result<int> parse_signal(std::string_view text) {
  const std::string upper = upper_case(text);
  std::string_view name = upper;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (const std::optional<int> signal = named_signal(name)) return *signal;
  const std::optional<int> number = parse_decimal<int>(text);
  if (number && *number >= 0 && *number <= kHighestSignal) return *number;
  return make_error(ErrorKind::invalid_config, "unknown signal '", text, "'");
}

}  // namespace onggi::cli
