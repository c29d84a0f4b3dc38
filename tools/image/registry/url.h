// SPDX-License-Identifier: Apache-2.0
// http and https addresses as values. What is compared here decides who sees credentials, so there
// is one parser for it, and it is the one that also connects: libcurl's.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace onggi::image {

struct Url {
  std::string text;    // all of it, without fragment
  std::string scheme;  // "http" or "https"
  std::string host;    // in lower case; IPv6 in brackets; an IPv4 address has four numbers
  std::string port;    // also where it is the scheme's

  // Of one origin are servers that the same credentials were given for.
  bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

// Refused: other schemes, user names and passwords in the address.
Result<Url> parse_url(std::string_view text);
// `reference` may be absolute or relative (RFC 3986 section 5).
Result<Url> resolve_url(const Url& base, std::string_view reference);

// One more parameter at the end of the query; the value gets encoded.
std::string with_parameter(std::string_view url, std::string_view name, std::string_view value);
std::string percent_encoded(std::string_view text);

// For messages: presigned addresses carry their authorization in the query.
std::string without_query(const Url& url);

// "localhost", 127.0.0.0/8, ::1.
bool is_loopback(std::string_view host);
// A literal address of the loopback, of this link or of a private network. Names are not looked up.
bool is_internal(std::string_view host);

}  // namespace onggi::image
