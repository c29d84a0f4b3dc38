// SPDX-License-Identifier: Apache-2.0
#include "spec/semantic_version.h"

#include "base/ascii.h"

#include <algorithm>

namespace onggi::spec {
namespace {

bool is_identifier_character(char c) {
  return is_alphanumeric(c) || c == '-';
}

// "0" or a number without leading zeros.
bool is_version_number(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_digit) &&
         (text.size() == 1 || text[0] != '0');
}

// Dot-separated identifiers; in a pre-release numeric ones have no leading zeros (semver.org, 9 and
// 10).
bool are_identifiers(std::string_view text, bool prerelease) {
  for (;;) {
    const size_t dot = text.find('.');
    const std::string_view identifier = text.substr(0, dot);
    if (identifier.empty() || !std::ranges::all_of(identifier, is_identifier_character))
      return false;
    if (prerelease && std::ranges::all_of(identifier, is_digit) && !is_version_number(identifier)) {
      return false;
    }
    if (dot == text.npos) return true;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace

bool is_semantic_version(std::string_view version) {
  if (const size_t plus = version.find('+'); plus != version.npos) {
    if (!are_identifiers(version.substr(plus + 1), false)) return false;
    version = version.substr(0, plus);
  }
  if (const size_t dash = version.find('-'); dash != version.npos) {
    if (!are_identifiers(version.substr(dash + 1), true)) return false;
    version = version.substr(0, dash);
  }
  const size_t first = version.find('.');
  const size_t second = first == version.npos ? first : version.find('.', first + 1);
  return second != version.npos && is_version_number(version.substr(0, first)) &&
         is_version_number(version.substr(first + 1, second - first - 1)) &&
         is_version_number(version.substr(second + 1));
}

Text major_version(Text version) {
  if (version.starts_with('v')) version.remove_prefix(1);
  const Text major = version.substr(0, version.find('.'));
  if (is_semantic_version(version)) return major;
  constexpr int kMostNumbers = 3;
  for (int i = 0; i < kMostNumbers; ++i) {
    const size_t dot = version.find('.');
    if (!is_version_number(version.substr(0, dot))) return {};
    if (dot == version.npos) return major;
    version.remove_prefix(dot + 1);
  }
  return {};
}

}  // namespace onggi::spec
