// SPDX-License-Identifier: Apache-2.0
// Each file is read into the same values, a later one over an earlier one.
#include "model/registries_conf.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"
#include "model/reference.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace onggi::image {

namespace {

constexpr size_t kFileLimit = 4u << 20;

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
      log::warn(text<512>("'", place.file, "': ", place.name, place.name.empty() ? "" : ".",
                          printable(key.str()), " is unknown, ignoring")
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

Result<MirrorRule> read_mirror(const Place& place) {
  constexpr std::string_view kKnown[] = {"location", "insecure", "pull-from-mirror"};
  warn_of_others(place, kKnown);
  MirrorRule mirror;
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

Result<RegistryRule> read_rule(const Place& place) {
  constexpr std::string_view kKnown[] = {"prefix",  "location", "insecure",
                                         "blocked", "mirror",   "mirror-by-digest-only"};
  warn_of_others(place, kKnown);
  RegistryRule rule;
  TRY(read(place, "prefix", rule.prefix));
  TRY(read(place, "location", rule.location));
  TRY(read(place, "insecure", rule.insecure));
  TRY(read(place, "blocked", rule.blocked));
  TRY(read(place, "mirror-by-digest-only", rule.mirrors_by_digest_only));
  rule.mirrors = TRY(read_tables<MirrorRule>(place, "mirror", read_mirror));
  if (rule.prefix.empty()) rule.prefix = rule.location;
  if (rule.prefix.empty()) return place.error("has neither prefix nor location");
  for (MirrorRule& mirror : rule.mirrors) {
    if (!rule.mirrors_by_digest_only) break;
    if (!mirror.for_tags || !mirror.for_digests)
      return place.error(
          "mirror-by-digest-only cannot be combined with pull-from-mirror in a mirror");
    mirror.for_tags = false;
  }
  return rule;
}

Result<> read(const Place& place, const char* key, std::vector<std::string>& to) {
  const toml::node* node = place.table.get(key);
  if (node == nullptr) return {};
  const toml::array* values = node->as_array();
  if (values == nullptr) return place.error(key, " must be an array of texts");
  to.clear();
  for (const toml::node& each : *values) {
    const auto* text = each.as_string();
    if (text == nullptr) return place.error(key, " must be an array of texts");
    to.push_back(text->get());
  }
  return {};
}

// An empty value takes an alias of an earlier file away.
Result<> read_aliases(const Place& place, std::map<std::string, std::string>& aliases) {
  const toml::node* node = place.table.get("aliases");
  if (node == nullptr) return {};
  const toml::table* table = node->as_table();
  if (table == nullptr) return place.error("aliases must be a table");
  for (const auto& [key, value] : *table) {
    const std::string name(key.str());
    const auto* text = value.as_string();
    if (text == nullptr) return place.error("aliases.\"", printable(name), "\" must be text");
    if (!is_short_name(name) || name.find_first_of(":@") != name.npos) {
      return place.error("aliases.\"", printable(name),
                         "\" must be a name without registry, tag and digest");
    }
    const std::string& target = text->get();
    if (target.empty()) {
      aliases.erase(name);
      continue;
    }
    const Result<Reference> reference = parse_reference(target);
    const bool is_bare = reference && !is_short_name(target) && reference->digest.empty() &&
                         target.find(':', target.find('/')) == target.npos;
    if (!is_bare) {
      return place.error("aliases.\"", printable(name), "\" is \"", printable(target),
                         "\", which must be a name with registry, without tag and digest");
    }
    aliases.insert_or_assign(name, target);
  }
  return {};
}

Result<> read_search(const Place& place, RegistriesConf& conf) {
  TRY(read(place, "unqualified-search-registries", conf.search));
  for (const std::string& each : conf.search) {
    if (!parse_reference(each + "/image") || is_short_name(each + "/image")) {
      return place.error("unqualified-search-registries: '", printable(each),
                         "' is not a registry");
    }
  }
  std::string mode;
  TRY(read(place, "short-name-mode", mode));
  if (mode == "disabled") {
    conf.mode = ShortNameMode::disabled;
  } else if (mode == "permissive") {
    conf.mode = ShortNameMode::permissive;
  } else if (mode == "enforcing") {
    conf.mode = ShortNameMode::enforcing;
  } else if (!mode.empty()) {
    return place.error("short-name-mode must be enforcing, permissive or disabled");
  }
  return {};
}

// podman's users may have others; for us it is $HOME's and docker's files and their helpers.
Result<> warn_of_helpers(const Place& place) {
  std::vector<std::string> helpers;
  TRY(read(place, "credential-helpers", helpers));
  for (const std::string& each : helpers) {
    if (each == "containers-auth.json") continue;
    log::warn(text<512>("'", place.file, "': credential-helpers: ", printable(each),
                        " is not asked; name it in auth.json under credHelpers")
                  .view());
  }
  return {};
}

Result<toml::table> parse_file(const std::string& file) {
  const std::string bytes = TRY(read_file(AT_FDCWD, file, kFileLimit));
  toml::parse_result parsed = toml::parse(std::string_view(bytes));
  if (parsed) return std::move(parsed).table();
  return make_error(ErrorKind::invalid_config, "'", file, "' is not TOML, at line ",
                    parsed.error().source().begin.line, ": ",
                    printable(parsed.error().description()));
}

Result<> read_conf(const std::string& file, RegistriesConf& conf) {
  constexpr std::string_view kKnown[] = {"registry", "aliases", "unqualified-search-registries",
                                         "short-name-mode", "credential-helpers"};
  const toml::table table = TRY(parse_file(file));
  const Place place = {table, file, {}};
  if (place.table.contains("registries")) {
    return with_hint(unsupported("registries", "'", file, "' has version 1 of this format"),
                     "use version 2, see containers-registries.conf(5)");
  }
  warn_of_others(place, kKnown);
  TRY(read_aliases(place, conf.aliases));
  TRY(read_search(place, conf));
  TRY(warn_of_helpers(place));
  for (RegistryRule& rule : TRY(read_tables<RegistryRule>(place, "registry", read_rule))) {
    const auto old = std::ranges::find(conf.rules, rule.prefix, &RegistryRule::prefix);
    if (old == conf.rules.end()) {
      conf.rules.push_back(std::move(rule));
    } else {
      *old = std::move(rule);
    }
  }
  return {};
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

Result<RegistriesConf> read_registries_conf(const std::vector<std::string>& files) {
  RegistriesConf conf;
  for (const std::string& file : files) TRY(read_conf(file, conf));
  return conf;
}

Result<> remember_alias(const std::string& file, const std::string& name,
                        const std::string& value) {
  std::map<std::string, std::string> aliases;
  if (exists(file)) {
    const toml::table table = TRY(parse_file(file));
    TRY(read_aliases({table, file, {}}, aliases));
  }
  aliases.insert_or_assign(name, value);
  std::string bytes = "[aliases]\n";
  for (const auto& [key, target] : aliases)
    bytes.append("  \"").append(key).append("\" = \"").append(target).append("\"\n");
  const size_t slash = file.rfind('/');
  TRY(make_directories(file.substr(0, slash)));
  const UniqueFd directory = TRY(open_directory(AT_FDCWD, file.substr(0, slash)));
  return replace_atomically(directory.get(), file.substr(slash + 1), bytes, 0644);
}

}  // namespace onggi::image
