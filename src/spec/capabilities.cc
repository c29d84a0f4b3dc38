// SPDX-License-Identifier: Apache-2.0
// libcap takes and gives lower case, and numbers too; config.json has neither.
#include "spec/capabilities.h"

#include <sys/capability.h>

#include <algorithm>

namespace onggi::spec {
namespace {

constexpr Text kPrefix = "CAP_";

}  // namespace

std::optional<unsigned> capability_number(Text name) {
  const auto allowed = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; };
  if (!name.starts_with(kPrefix) || !std::ranges::all_of(name, allowed)) return std::nullopt;
  cap_value_t number = 0;
  if (cap_from_name(std::string(name).c_str(), &number) != 0) return std::nullopt;
  return static_cast<unsigned>(number);
}

std::string capability_name(unsigned number) {
  char* text = cap_to_name(static_cast<cap_value_t>(number));
  if (text == nullptr || !Text(text).starts_with("cap_")) {
    (void)cap_free(text);
    return std::string(kPrefix) + std::to_string(number);
  }
  std::string name = text;
  (void)cap_free(text);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return name;
}

}  // namespace onggi::spec
