// SPDX-License-Identifier: Apache-2.0
// See the header.
#include "command/remote.h"

namespace onggi::image {

AccessOptions access_options(const std::string& authfile, bool plain_http, long stall_seconds) {
  AccessOptions options;
  options.http.stall_seconds = stall_seconds;
  options.credentials = credential_source(authfile);
  options.plain_http = plain_http;
  return options;
}

Result<LoginPlace> parse_login_place(std::string_view text) {
  LoginPlace place;
  place.key = normalised_key(text.empty() ? "docker.io" : text);
  // Any repository there will do, and so that its name is checked as well.
  place.image = TRY(parse_reference(place.key + "/image"));
  if (place.key.substr(0, place.key.find('/')) == place.image.registry) return place;
  return with_hint(
      make_error(ErrorKind::invalid_config, "'", text, "' does not begin with a registry host"),
      "add the port to a host name without dots: \"registry:443\"");
}

}  // namespace onggi::image
