// SPDX-License-Identifier: Apache-2.0
// containers-registries.conf(5), which podman, skopeo and buildah read too: where registries are
// really asked, and what short names mean.
#pragma once

#include "base/result.h"

#include <map>
#include <string>
#include <vector>

namespace onggi::image {

struct MirrorRule {
  std::string location;
  bool insecure = false;
  bool for_tags = true, for_digests = true;
};

struct RegistryRule {
  std::string prefix, location;
  bool insecure = false, blocked = false;
  bool mirrors_by_digest_only = false;
  std::vector<MirrorRule> mirrors;
};

// What to do with a short name for which there are several registries.
enum class ShortNameMode : uint8_t {
  enforcing,   // ask on a terminal; an error without one
  permissive,  // ask on a terminal; try all of them without one
  disabled,    // try all of them, without aliases
};

struct RegistriesConf {
  std::vector<RegistryRule> rules;
  std::map<std::string, std::string> aliases;  // "web" -> "registry.example/team/web"
  std::vector<std::string> search;             // registries for short names without alias
  ShortNameMode mode = ShortNameMode::enforcing;
};

// Existing files in the order in which they are read: $CONTAINERS_REGISTRIES_CONF alone; or else
// ~/.config/containers/registries.conf with its registries.conf.d; or else those of /etc/containers
// and then the user's registries.conf.d.
Result<std::vector<std::string>> registries_files();

// ErrorKind::invalid_config: a file is wrong. A later file takes the place of rules with the same
// prefix, of single aliases, of the whole search list.
Result<RegistriesConf> read_registries_conf(const std::vector<std::string>& files);

// Adds an alias to a file that has nothing else, and that may not be there yet.
Result<> remember_alias(const std::string& file, const std::string& name, const std::string& value);

}  // namespace onggi::image
