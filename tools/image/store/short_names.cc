// SPDX-License-Identifier: Apache-2.0
// An alias is for a repository; tag and digest of the short name stay.
#include "store/short_names.h"

#include "model/reference.h"
#include "store/overlay.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace onggi::image {

namespace {

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr ? "" : value;
}

// Empty: no place for it.
std::string choices_file() {
  const std::string name = "/containers/short-name-aliases.conf";
  const std::string cache = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (cache.starts_with('/')) return cache + name;
  if (geteuid() == 0 && !in_user_namespace()) return "/var/cache" + name;
  return home.starts_with('/') ? home + "/.cache" + name : std::string();
}

struct SplitName {
  std::string repository, rest;  // "web", ":1@sha256:..."
};
SplitName split_short_name(std::string_view text) {
  const size_t end = std::min(text.find_first_of(":@"), text.size());
  return {std::string(text.substr(0, end)), std::string(text.substr(end))};
}

Result<RegistriesConf> read_conf() {
  std::vector<std::string> files = TRY(registries_files());
  const std::string chosen = choices_file();
  if (!chosen.empty() && access(chosen.c_str(), R_OK) == 0) files.push_back(chosen);
  return read_registries_conf(files);
}

Result<std::vector<std::string>> names_by(const RegistriesConf& conf, std::string_view text) {
  const SplitName name = split_short_name(text);
  std::vector<std::string> names;
  const auto add = [&](const std::string& full) -> Result<> {
    const Reference reference = TRY(parse_reference(full));
    names.push_back(to_text(reference));
    return {};
  };
  const auto alias = conf.aliases.find(name.repository);
  if (alias != conf.aliases.end() && conf.mode != ShortNameMode::disabled) {
    TRY(add(alias->second + name.rest));
    return names;
  }
  for (const std::string& registry : conf.search) TRY(add(registry + "/" + std::string(text)));
  if (names.empty()) TRY(add(std::string(text)));
  return names;
}

}  // namespace

Result<NameChoices> remote_names(std::string_view text) {
  const Reference reference = TRY(parse_reference(text));
  if (!is_short_name(text)) return NameChoices{{to_text(reference)}};
  const RegistriesConf conf = TRY(read_conf());
  return NameChoices{TRY(names_by(conf, text)), conf.mode};
}

Result<std::vector<std::string>> local_names(std::string_view text) {
  const Reference reference = TRY(parse_reference(text));
  std::vector<std::string> names;
  if (is_short_name(text)) {
    const RegistriesConf conf = TRY(read_conf());
    names = TRY(names_by(conf, text));
  }
  names.push_back(to_text(reference));
  return names;
}

Result<> remember_choice(std::string_view text, const std::string& full) {
  const std::string file = choices_file();
  if (file.empty()) return {};
  const Reference reference = TRY(parse_reference(full));
  return remember_alias(file, split_short_name(text).repository,
                        reference.registry + "/" + reference.repository);
}

}  // namespace onggi::image
