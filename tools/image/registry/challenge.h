// SPDX-License-Identifier: Apache-2.0
// Header fields with a grammar of their own: WWW-Authenticate (RFC 9110 section 11.6.1), Link (RFC
// 8288) and Warning (RFC 7234 section 5.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::image {

struct Challenge {
  std::string scheme;                                           // in lower case: "bearer"
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  // Empty when it is not there.
  std::string_view parameter(std::string_view name) const;
};

// All challenges of one field, in their order. Registries and proxies write this field by hand, so
// what makes no sense ends the list and is not an error.
std::vector<Challenge> parse_challenges(std::string_view field);

// The target of rel="next", as it stands (it may be relative); nothing when there is none.
std::optional<std::string> next_link(std::string_view field);

// The text of `299 - "text"`, the only form that registries may use.
std::optional<std::string> registry_warning(std::string_view field);

// Of ASCII letters only, whatever the locale.
std::string lower_case(std::string_view text);

}  // namespace onggi::image
