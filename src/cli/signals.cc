// SPDX-License-Identifier: Apache-2.0
// The names are glibc's (sigabbrev_np), so that no table of ours can miss one.
#include "cli/signals.h"

#include <csignal>
#include <cstring>
#include <optional>
#include <string>

namespace onggi::cli {
namespace {

constexpr int kHighestSignal = 64;

struct Alias {
  std::string_view name;
  int signal;
};
constexpr Alias kAliases[] = {{"CLD", SIGCHLD}, {"IO", SIGIO}, {"IOT", SIGABRT}};

std::string upper_case(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

// SIGRTMIN is glibc's 34, not the kernel's 32: this is what `kill -l` and the engines mean.
std::optional<int> real_time_signal(std::string_view name) {
  if (!name.starts_with("RTMIN") && !name.starts_with("RTMAX")) return std::nullopt;
  const bool from_least = name[4] == 'N';
  const std::string_view offset = name.substr(5);
  if (offset.empty()) return from_least ? SIGRTMIN : SIGRTMAX;
  if (offset[0] != (from_least ? '+' : '-')) return std::nullopt;
  const std::optional<unsigned> distance = parse_decimal<unsigned>(offset.substr(1));
  if (!distance || *distance > static_cast<unsigned>(SIGRTMAX - SIGRTMIN)) return std::nullopt;
  const int steps = static_cast<int>(*distance);
  return from_least ? SIGRTMIN + steps : SIGRTMAX - steps;
}

std::optional<int> named_signal(std::string_view name) {
  for (int signal = 1; signal < SIGSYS + 1; ++signal) {
    const char* abbreviation = sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return signal;
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
