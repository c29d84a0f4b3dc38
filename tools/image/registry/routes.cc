// SPDX-License-Identifier: Apache-2.0
// The longest prefix that fits an image decides.
#include "registry/routes.h"

#include "base/utf8.h"
#include "model/registries_conf.h"

namespace onggi::image {

namespace {

// How much of the image's name a prefix covers; 0: it does not fit. A port is part of a host, and
// not what follows it: "example.com" is not "example.com:5000".
size_t covered(std::string_view name, std::string_view prefix) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = name.substr(0, name.find('/'));
    return host.ends_with(prefix.substr(1)) ? host.size() : 0;
  }
  if (!name.starts_with(prefix)) return 0;
  if (name.size() == prefix.size()) return prefix.size();
  const char next = name[prefix.size()];
  const bool is_below =
      next == '/' || next == '@' || (next == ':' && prefix.find('/') != prefix.npos);
  return is_below ? prefix.size() : 0;
}

Result<Reference> moved(const std::string& location, std::string_view rest) {
  const std::string host = location.substr(0, location.find('/'));
  if (host.find_first_of(".:[") == host.npos && host != "localhost") {
    return with_hint(
        make_error(ErrorKind::invalid_config, "location '", printable(location), "' has no host"),
        "add the port to a host name without dots: \"mirror:443\"");
  }
  return TRY_AT("registries.conf", parse_reference(location + std::string(rest)));
}

}  // namespace

AccessOptions permitted(AccessOptions options, const Route& route) {
  options.plain_http |= route.insecure;
  options.http.checks_certificates &= !route.insecure;
  return options;
}

Result<Routes> find_routes(const std::vector<std::string>& files, const Reference& image) {
  const RegistriesConf conf = TRY(read_registries_conf(files));
  const std::string name = to_text(image);
  const RegistryRule* best = nullptr;
  size_t most = 0;
  for (const RegistryRule& rule : conf.rules) {
    const size_t size = covered(name, rule.prefix);
    const bool is_plainer = size == most && size != 0 && best->prefix.starts_with("*.");
    if (size <= most && !is_plainer) continue;
    best = &rule;
    most = size;
  }
  if (best == nullptr) return Routes{{{image, false}}, {image, false}};
  if (best->blocked) {
    return make_error(ErrorKind::unsupported, name, " is blocked by registries.conf, prefix '",
                      printable(best->prefix), "'");
  }
  Routes routes;
  routes.push = {image, best->insecure};
  const std::string_view rest = std::string_view(name).substr(most);
  for (const MirrorRule& mirror : best->mirrors) {
    const bool is_wanted = image.digest.empty() ? mirror.for_tags : mirror.for_digests;
    if (is_wanted) routes.pull.push_back({TRY(moved(mirror.location, rest)), mirror.insecure});
  }
  const bool is_moved = !best->location.empty() && best->location != best->prefix;
  routes.pull.push_back({is_moved ? TRY(moved(best->location, rest)) : image, best->insecure});
  return routes;
}

}  // namespace onggi::image
