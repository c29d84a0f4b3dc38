// SPDX-License-Identifier: Apache-2.0
// What a name without a registry stands for ("web", "team/web"), by registries.conf as podman reads
// it: the alias; else the registries of unqualified-search-registries; else, where there is
// neither, Docker Hub, which docker's users mean.
#pragma once

#include "model/registries_conf.h"

namespace onggi::image {

struct NameChoices {
  std::vector<std::string> names;  // in full and in their order; one at least
  ShortNameMode mode = ShortNameMode::enforcing;
};
// In a registry. A name with a registry is the only choice.
Result<NameChoices> remote_names(std::string_view text);

// In the store, where the first that is there is meant: Docker Hub's is always the last.
Result<std::vector<std::string>> local_names(std::string_view text);

// What a user has chosen for a short name is kept for the next time, where podman keeps it, too:
// in short-name-aliases.conf of $XDG_CACHE_HOME/containers, or else of /var/cache/containers, or
// for rootless users of ~/.cache/containers. `full` is one of the names that `text` may stand for.
Result<> remember_choice(std::string_view text, const std::string& full);

}  // namespace onggi::image
