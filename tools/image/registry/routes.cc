// SPDX-License-Identifier: Apache-2.0
// The [[registry]] tables of all files become one list, in which a later table takes the place of
// an earlier one with the same prefix; the longest prefix that fits an image decides.
#include "registry/routes.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace onggi::image {

namespace {

constexpr size_t kFileLimit = 4u << 20;

struct Mirror {
  std::string location;
  bool insecure = false;
  bool for_tags = true, for_digests = true;
};

struct Rule {
  std::string prefix, location;
  bool insecure = false, blocked = false;
  bool mirrors_by_digest_only = false;
  std::vector<Mirror> mirrors;
};

// A table of the file, with what its errors are to name.
struct Place {
  const toml::table& table;
  const std::string& file;
  std::string name;  // "registry[1].mirror[0]"

  template <class... Parts>
  Error error(const Parts&... parts) const {
    return config_error(name, "'", file, "': ", parts...);
  }
};

Result<> read(const Place& place, const char* key, std::string& to) {
  const toml::node* node = place.table.get(key);
  if (node == nullptr) return {};
  const auto* text = node->as_string();
  if (text == nullptr) return place.error(key, " must be text");
  to = text->get();
  return {};
}

Result<> read(const Place& place, const char* key, bool& to) {
  const toml::node* node = place.table.get(key);
  if (node == nullptr) return {};
  const auto* value = node->as_boolean();
  if (value == nullptr) return place.error(key, " must be true or false");
  to = value->get();
  return {};
}

// Newer versions of the file may have more: what is not known is said, and passed over.
template <size_t N>
void warn_of_others(const Place& place, const std::string_view (&known)[N]) {
  for (const auto& [key, value] : place.table) {
    if (std::ranges::find(known, key.str()) == std::end(known)) {
      log::warn(text<512>("'", place.file, "': ", place.name, ".", printable(key.str()),
                          " is unknown, ignoring")
                    .view());
    }
  }
}

// The tables of an array like [[registry]].
template <class T>
Result<std::vector<T>> read_tables(const Place& place, const char* key,
                                   Result<T> (*read_table)(const Place&)) {
  std::vector<T> values;
  const toml::node* node = place.table.get(key);
  if (node == nullptr) return values;
  const toml::array* tables = node->as_array();
  if (tables == nullptr) return place.error(key, " must be an array of tables");
  for (const toml::node& each : *tables) {
    const toml::table* table = each.as_table();
    if (table == nullptr) return place.error(key, " must be an array of tables");
    const std::string prefix = place.name.empty() ? std::string() : place.name + ".";
    const Place inner = {*table, place.file,
                         prefix + key + "[" + std::to_string(values.size()) + "]"};
    values.push_back(TRY(read_table(inner)));
  }
  return values;
}

Result<Mirror> read_mirror(const Place& place) {
  constexpr std::string_view kKnown[] = {"location", "insecure", "pull-from-mirror"};
  warn_of_others(place, kKnown);
  Mirror mirror;
  std::string use;
  TRY(read(place, "location", mirror.location));
  TRY(read(place, "insecure", mirror.insecure));
  TRY(read(place, "pull-from-mirror", use));
  if (mirror.location.empty()) return place.error("has no location");
  if (!use.empty() && use != "all" && use != "digest-only" && use != "tag-only")
    return place.error("pull-from-mirror must be all, digest-only or tag-only");
  mirror.for_tags = use != "digest-only";
  mirror.for_digests = use != "tag-only";
  return mirror;
}

Result<Rule> read_rule(const Place& place) {
  constexpr std::string_view kKnown[] = {"prefix",  "location", "insecure",
                                         "blocked", "mirror",   "mirror-by-digest-only"};
  warn_of_others(place, kKnown);
  Rule rule;
  TRY(read(place, "prefix", rule.prefix));
  TRY(read(place, "location", rule.location));
  TRY(read(place, "insecure", rule.insecure));
  TRY(read(place, "blocked", rule.blocked));
  TRY(read(place, "mirror-by-digest-only", rule.mirrors_by_digest_only));
  rule.mirrors = TRY(read_tables<Mirror>(place, "mirror", read_mirror));
  if (rule.prefix.empty()) rule.prefix = rule.location;
  if (rule.prefix.empty()) return place.error("has neither prefix nor location");
  for (Mirror& mirror : rule.mirrors) {
    if (!rule.mirrors_by_digest_only) break;
    if (!mirror.for_tags || !mirror.for_digests)
      return place.error(
          "mirror-by-digest-only cannot be combined with pull-from-mirror in a mirror");
    mirror.for_tags = false;
  }
  return rule;
}

Result<> read_rules(const std::string& file, std::vector<Rule>& rules) {
  const std::string bytes = TRY(read_file(AT_FDCWD, file, kFileLimit));
  const toml::parse_result parsed = toml::parse(std::string_view(bytes));
  if (!parsed) {
    return make_error(ErrorKind::invalid_config, "'", file, "' is not TOML, at line ",
                      parsed.error().source().begin.line, ": ",
                      printable(parsed.error().description()));
  }
  const Place place = {parsed.table(), file, {}};
  if (place.table.contains("registries")) {
    return with_hint(unsupported("registries", "'", file, "' has version 1 of this format"),
                     "use version 2, see containers-registries.conf(5)");
  }
  for (Rule& rule : TRY(read_tables<Rule>(place, "registry", read_rule))) {
    const auto old = std::ranges::find(rules, rule.prefix, &Rule::prefix);
    if (old == rules.end()) {
      rules.push_back(std::move(rule));
    } else {
      *old = std::move(rule);
    }
  }
  return {};
}

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

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool exists(const std::string& file) {
  return access(file.c_str(), F_OK) == 0;
}

Result<> add_drop_ins(const std::string& directory, std::vector<std::string>& files) {
  const Result<UniqueFd> opened = open_directory(AT_FDCWD, directory);
  if (!opened) return {};
  std::vector<std::string> found;
  DirectoryReader reader(opened.value().get());
  while (const auto* entry = TRY(reader.next())) {
    const std::string_view name = entry->name();
    if (name.ends_with(".conf")) found.push_back(directory + "/" + std::string(name));
  }
  std::ranges::sort(found);
  std::ranges::move(found, std::back_inserter(files));
  return {};
}

}  // namespace

Result<std::vector<std::string>> registries_files() {
  std::vector<std::string> files;
  if (std::string given = variable("CONTAINERS_REGISTRIES_CONF"); !given.empty()) {
    files.push_back(std::move(given));
    return files;
  }
  const std::string home = variable("HOME");
  const std::string own = home.empty() ? home : home + "/.config/containers/registries.conf";
  const std::string system = "/etc/containers/registries.conf";
  if (!own.empty() && exists(own)) {
    files.push_back(own);
  } else {
    if (exists(system)) files.push_back(system);
    TRY(add_drop_ins(system + ".d", files));
  }
  if (!own.empty()) TRY(add_drop_ins(own + ".d", files));
  return files;
}

AccessOptions permitted(AccessOptions options, const Route& route) {
  options.plain_http |= route.insecure;
  options.http.checks_certificates &= !route.insecure;
  return options;
}

Result<Routes> find_routes(const std::vector<std::string>& files, const Reference& image) {
  std::vector<Rule> rules;
  for (const std::string& file : files) TRY(read_rules(file, rules));
  const std::string name = to_text(image);
  const Rule* best = nullptr;
  size_t most = 0;
  for (const Rule& rule : rules) {
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
  for (const Mirror& mirror : best->mirrors) {
    const bool is_wanted = image.digest.empty() ? mirror.for_tags : mirror.for_digests;
    if (is_wanted) routes.pull.push_back({TRY(moved(mirror.location, rest)), mirror.insecure});
  }
  const bool is_moved = !best->location.empty() && best->location != best->prefix;
  routes.pull.push_back({is_moved ? TRY(moved(best->location, rest)) : image, best->insecure});
  return routes;
}

}  // namespace onggi::image
