// SPDX-License-Identifier: Apache-2.0
// What only root of the host can have, refused before anything is made; docs/rootless.md lists it
// for users.
#include "plan/build_parts.h"

#include <algorithm>

namespace onggi::plan {
namespace {

constexpr const char* kNeedsRoot = "requires root on the host";

void refuse(BuildContext& context, const Error& error) {
  context.plan.refused.push_back(error);
}

bool has_user_namespace(const BuildContext& context) {
  return context.creates(BuildContext::kNewUser) || context.joins(spec::NamespaceType::user);
}

// Engines copy owner and mode of the host's node, which the bound one has anyway.
void warn_of_bound_devices(BuildContext& context) {
  const auto& devices = context.spec.linux.devices;
  for (size_t i = 0; i < devices.size(); i++) {
    if (devices[i].type == 'p') continue;
    if (!devices[i].file_mode && !devices[i].uid && !devices[i].gid) continue;
    context.warn("linux.devices[" + std::to_string(i) +
                 "]: bind-mounted from the host, with the host's owner and mode");
  }
}

void refuse_mapped_mounts(BuildContext& context) {
  constexpr std::string_view kOptions[] = {"idmap", "ridmap"};
  const auto is_idmap = [&](std::string_view option) {
    return std::ranges::find(kOptions, option) != std::end(kOptions);
  };
  for (size_t i = 0; i < context.spec.mounts.size(); i++) {
    const spec::Mount& mount = context.spec.mounts[i];
    const bool mapped = !mount.uid_mappings.empty() ||
                        std::ranges::any_of(mount.options.begin(), mount.options.end(), is_idmap);
    if (mapped) {
      refuse(context, unsupported("mounts[" + std::to_string(i) + "]",
                                  "id-mapped mounts require root on the host"));
    }
  }
}

}  // namespace

void refuse_to_ordinary_user(BuildContext& context) {
  if (context.in_user_namespace()) warn_of_bound_devices(context);
  if (context.privileged()) return;
  if (context.facts.euid != 0 && !has_user_namespace(context)) {
    refuse(context,
           with_hint(config_error("linux.namespaces", "rootless users require a user namespace"),
                     "use 'onggi spec --rootless' to write a configuration with one"));
  }
  if (context.plan.namespaces.map_writer == MapWriter::programs && !context.facts.id_map_programs) {
    refuse(context, with_hint(unsupported("linux.uidMappings",
                                          "newuidmap and newgidmap are not in $PATH; without them, "
                                          "rootless users can map only their own ids"),
                              "install uidmap (newuidmap and newgidmap), or map only your own ids, "
                              "as 'onggi spec --rootless' does"));
  }
  if (!context.spec.linux.net_devices.empty())
    refuse(context, unsupported("linux.netDevices", kNeedsRoot));
  refuse_mapped_mounts(context);
}

}  // namespace onggi::plan
