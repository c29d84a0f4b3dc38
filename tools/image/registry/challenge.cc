// SPDX-License-Identifier: Apache-2.0
// One scanner for all of them. In WWW-Authenticate a comma separates parameters as well as
// challenges; a word that is followed by '=' is a parameter.
#include "registry/challenge.h"

#include "base/split.h"

#include <algorithm>

namespace onggi::image {

namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  void skip(std::string_view bytes) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(bytes), rest_.size()));
  }
  bool take(char c) {
    skip(" \t");
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view until(std::string_view bytes) {
    const size_t size = std::min(rest_.find_first_of(bytes), rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // A quoted string without its quotes and backslashes, or what stands before one of `ends`.
  std::string value(std::string_view ends) {
    skip(" \t");
    if (!take('"')) return std::string(until(ends));
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    take('"');
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Challenge::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::vector<Challenge> parse_challenges(std::string_view field) {
  std::vector<Challenge> challenges;
  Scanner scanner(field);
  while (true) {
    scanner.skip(" \t,");
    const std::string word = lower_case(scanner.until(" \t,=\""));
    if (word.empty()) return challenges;
    if (!scanner.take('=')) {
      challenges.push_back({word, {}});
    } else if (challenges.empty()) {
      return challenges;
    } else {
      challenges.back().parameters.emplace_back(word, scanner.value(" \t,"));
    }
  }
}

std::optional<std::string> registry_warning(std::string_view field) {
  Scanner scanner(field);
  if (scanner.until(" ") != "299") return std::nullopt;
  scanner.skip(" ");
  if (scanner.until(" ") != "-") return std::nullopt;
  std::string text = scanner.value("");
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::optional<std::string> next_link(std::string_view field) {
  Scanner scanner(field);
  while (!scanner.done()) {
    scanner.skip(" \t,");
    if (!scanner.take('<')) return std::nullopt;
    std::string target(scanner.until(">"));
    if (!scanner.take('>')) return std::nullopt;
    while (scanner.take(';')) {
      scanner.skip(" \t");
      const std::string name = lower_case(scanner.until(" \t,;="));
      const std::string value = scanner.take('=') ? scanner.value(" \t,;") : std::string();
      if (name != "rel") continue;
      for (const std::string_view relation : words_of(value)) {
        if (lower_case(relation) == "next") return target;
      }
    }
  }
  return std::nullopt;
}

}  // namespace onggi::image
