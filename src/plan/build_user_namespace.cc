// SPDX-License-Identifier: Apache-2.0
// The maps of the container's user namespace: who writes them, whether those of a joined one are
// what config.json says, and whether setgroups(2) is there for the program.
#include "plan/build_parts.h"

#include <algorithm>

namespace onggi::plan {
namespace {

using Mappings = std::vector<spec::IdMapping>;

// In order, and what continues the range before it as one: several spellings mean the same map.
Mappings normalized(Mappings mappings) {
  std::ranges::sort(mappings, {}, &spec::IdMapping::container_id);
  Mappings result;
  for (const spec::IdMapping& mapping : mappings) {
    if (!result.empty()) {
      spec::IdMapping& last = result.back();
      if (last.container_id + last.size == mapping.container_id &&
          last.host_id + last.size == mapping.host_id) {
        last.size += mapping.size;
        continue;
      }
    }
    result.push_back(mapping);
  }
  return result;
}

bool equal(const Mappings& first, const Mappings& second) {
  return std::ranges::equal(normalized(first), normalized(second),
                            [](const spec::IdMapping& left, const spec::IdMapping& right) {
                              return left.container_id == right.container_id &&
                                     left.host_id == right.host_id && left.size == right.size;
                            });
}

std::string in_words(const Mappings& mappings) {
  constexpr size_t kShown = 4;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, mappings.size()); i++) {
    if (i > 0) text += ", ";
    text += std::to_string(mappings[i].container_id) + " " + std::to_string(mappings[i].host_id) +
            " " + std::to_string(mappings[i].size);
  }
  return mappings.size() > kShown ? text + ", ..." : text;
}

bool is_own_id(const Mappings& mappings, uint32_t id) {
  return mappings.size() == 1 && mappings[0].size == 1 && mappings[0].host_id == id;
}

// Engines send the maps and the path. The kernel cannot change the maps of a namespace, so they may
// only be repeated.
Result<> check_joined(BuildContext& context, const UserNamespaceFacts& joined) {
  const spec::Linux& linux = context.spec.linux;
  const struct {
    const char* field;
    const Mappings &wanted, &actual;
  } lists[] = {{"linux.uidMappings", linux.uid_mappings, joined.uid_mappings},
               {"linux.gidMappings", linux.gid_mappings, joined.gid_mappings}};
  for (const auto& list : lists) {
    if (list.wanted.empty()) continue;
    if (!equal(list.wanted, list.actual)) {
      return with_hint(
          config_error(list.field,
                       "does not match the mappings of the joined user namespace, which are ",
                       in_words(list.actual)),
          "remove the field: the mappings of an existing namespace cannot be changed");
    }
    context.warn(std::string(list.field) +
                 ": the joined user namespace already has these mappings");
  }
  return {};
}

MapWriter writer_of(const BuildContext& context) {
  constexpr uint64_t kSetIds = uint64_t{1} << 6 | uint64_t{1} << 7;  // CAP_SETGID, CAP_SETUID
  const HostFacts& facts = context.facts;
  if (facts.euid == 0 && (facts.capabilities & kSetIds) == kSetIds) return MapWriter::runtime;
  const spec::Linux& linux = context.spec.linux;
  const bool own =
      is_own_id(linux.uid_mappings, facts.euid) && is_own_id(linux.gid_mappings, facts.egid);
  return own ? MapWriter::own_id : MapWriter::programs;
}

// The maps that hold for the container; none: those of the runtime itself.
struct Effective {
  const Mappings *uids = nullptr, *gids = nullptr;
};
Effective effective_maps(const BuildContext& context) {
  const spec::Linux& linux = context.spec.linux;
  if (context.creates(BuildContext::kNewUser)) return {&linux.uid_mappings, &linux.gid_mappings};
  const auto& joined = context.facts.joined_user;
  if (!joined || !context.joins(spec::NamespaceType::user)) return {};
  return {&joined->uid_mappings, &joined->gid_mappings};
}

bool is_mapped(const Mappings& mappings, uint32_t id) {
  return std::ranges::any_of(mappings, [id](const spec::IdMapping& mapping) {
    return id >= mapping.container_id && id - mapping.container_id < mapping.size;
  });
}

// gid=5 of a devpts, uid=1000 of a tmpfs.
void refuse_unmapped_options(BuildContext& context, const Effective& maps) {
  for (size_t i = 0; i < context.spec.mounts.size(); i++) {
    const spec::TextList& options = context.spec.mounts[i].options;
    for (size_t k = 0; k < options.size(); k++) {
      const bool user = options[k].starts_with("uid=");
      if (!user && !options[k].starts_with("gid=")) continue;
      const auto id = parse_decimal<uint32_t>(options[k].substr(4));
      if (!id || is_mapped(user ? *maps.uids : *maps.gids, *id)) continue;
      const std::string place =
          "mounts[" + std::to_string(i) + "].options[" + std::to_string(k) + "]";
      context.plan.refused.push_back(
          with_hint(config_error(place, "'", options[k], "' is not mapped in the user namespace"),
                    user ? "map the id in linux.uidMappings" : "map the id in linux.gidMappings"));
    }
  }
}

}  // namespace

bool may_set_groups(const BuildContext& context) {
  const HostFacts& facts = context.facts;
  if (context.joins(spec::NamespaceType::user))
    return !facts.joined_user || !facts.joined_user->set_groups_denied;
  // A child inherits it.
  if (facts.set_groups_denied) return false;
  if (!context.creates(BuildContext::kNewUser)) return true;
  switch (context.plan.namespaces.map_writer) {
    case MapWriter::runtime:
      return true;
    case MapWriter::own_id:
      return false;
    case MapWriter::programs:  // newgidmap(1) denies it where no group beside the own is mapped
      return !is_own_id(context.spec.linux.gid_mappings, facts.egid);
  }
  return true;
}

Result<> build_user_namespace(BuildContext& context) {
  NamespacePlan& namespaces = context.plan.namespaces;
  if (context.creates(BuildContext::kNewUser)) {
    namespaces.uid_mappings = context.spec.linux.uid_mappings;
    namespaces.gid_mappings = context.spec.linux.gid_mappings;
    namespaces.map_writer = writer_of(context);
  } else if (context.facts.joined_user) {
    TRY(check_joined(context, *context.facts.joined_user));
  }
  context.plan.handoff.set_groups = may_set_groups(context);
  return {};
}

// A terminal is made in the namespace, and is its own.
void build_stream_owner(BuildContext& context) {
  const Effective maps = effective_maps(context);
  if (maps.uids == nullptr || !context.spec.process || context.spec.process->terminal) return;
  const uint32_t uid = context.spec.process->user.uid;
  for (const spec::IdMapping& mapping : *maps.uids) {
    if (uid >= mapping.container_id && uid - mapping.container_id < mapping.size)
      context.plan.stream_owner = mapping.host_id + (uid - mapping.container_id);
  }
}

void refuse_unmapped_ids(BuildContext& context) {
  const Effective maps = effective_maps(context);
  const auto refuse = [&context](std::string_view place, uint32_t id, const char* why,
                                 const char* field) {
    context.plan.refused.push_back(
        with_hint(config_error(place, id, why), text<64>("map it in ", field).view()));
  };
  const auto& process = context.spec.process;
  if (process && !context.plan.handoff.set_groups && !process->user.additional_gids.empty()) {
    context.plan.refused.push_back(with_hint(
        config_error("process.user.additionalGids",
                     "cannot be set: setgroups(2) is denied in this user namespace"),
        "rootless users require a range of group ids in /etc/subgid and in linux.gidMappings"));
  }
  if (maps.uids == nullptr) return;
  constexpr const char* kNoRoot = " is not mapped, but onggi sets up the container as this id";
  constexpr const char* kUnmapped = " is not mapped in the user namespace";
  if (!is_mapped(*maps.uids, 0)) refuse("linux.uidMappings", 0, kNoRoot, "linux.uidMappings");
  if (!is_mapped(*maps.gids, 0)) refuse("linux.gidMappings", 0, kNoRoot, "linux.gidMappings");
  refuse_unmapped_options(context, maps);
  if (!process) return;
  const spec::User& user = process->user;
  if (!is_mapped(*maps.uids, user.uid))
    refuse("process.user.uid", user.uid, kUnmapped, "linux.uidMappings");
  if (!is_mapped(*maps.gids, user.gid))
    refuse("process.user.gid", user.gid, kUnmapped, "linux.gidMappings");
  for (size_t i = 0; i < user.additional_gids.size(); i++) {
    if (is_mapped(*maps.gids, user.additional_gids[i])) continue;
    refuse(text<64>("process.user.additionalGids[", i, "]").view(), user.additional_gids[i],
           kUnmapped, "linux.gidMappings");
  }
}

}  // namespace onggi::plan
