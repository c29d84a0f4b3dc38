// SPDX-License-Identifier: Apache-2.0
// The list of rules, in the order in which their errors are reported, and the rules of config.md's
// top level.
#include "spec/validate.h"

#include "spec/checks.h"
#include "spec/mount_options.h"
#include "spec/semantic_version.h"

namespace onggi::spec {

namespace {

constexpr size_t kMaxHostName = 64;  // __NEW_UTS_LEN of the kernel

// Major version 0 is what drafts before 1.0.0 called themselves; engines of that time are still in
// use.
Result<> check_version(const Spec& spec) {
  const Text major = major_version(spec.oci_version);
  if (major.empty()) {
    return with_hint(broken("ociVersion", "\"", spec.oci_version, "\" is not a semantic version"),
                     "use \"1.0.2\" or a later version of the specification");
  }
  if (major != "1" && major != "0") {
    return broken("ociVersion", "version ", spec.oci_version, " is not supported, only 1.x");
  }
  return {};
}

Result<> check_root(const Spec& spec) {
  if (!spec.root) return broken("root", "is required");
  if (spec.root->path.empty()) return broken("root.path", "must not be empty");
  return {};
}

Result<> check_names(const Spec& spec) {
  const std::pair<Text, Text> names[] = {{"hostname", spec.hostname},
                                         {"domainname", spec.domainname}};
  for (const auto& [field, name] : names) {
    if (name.empty()) continue;
    if (name.size() > kMaxHostName) {
      return broken(field, "must not be longer than ", kMaxHostName, " bytes");
    }
    if (find_namespace(spec, NamespaceType::uts) == nullptr) {
      return broken(field, "requires a uts namespace in linux.namespaces");
    }
  }
  return {};
}

Result<> check_mapped_mount(const Spec& spec, const Mount& mount, const MountOptions& options,
                            const Place& at) {
  if (mount.uid_mappings.empty() != mount.gid_mappings.empty()) {
    return broken(place(at.view(), mount.uid_mappings.empty() ? ".uidMappings" : ".gidMappings"),
                  "is required: uidMappings and gidMappings must be set together");
  }
  TRY(check_id_mappings(mount.uid_mappings, place(at.view(), ".uidMappings").view()));
  TRY(check_id_mappings(mount.gid_mappings, place(at.view(), ".gidMappings").view()));
  const bool mapped = options.idmap || options.ridmap || !mount.uid_mappings.empty();
  if (mapped && (!options.bind || options.remount)) {
    return broken(at, "only a new bind mount can have mapped ids");
  }
  if (mapped && mount.uid_mappings.empty() &&
      find_namespace(spec, NamespaceType::user) == nullptr) {
    return broken(at,
                  "idmap requires uidMappings and gidMappings, or a user namespace that has them");
  }
  return {};
}

Result<> check_mounts(const Spec& spec) {
  for (size_t i = 0; i < spec.mounts.size(); ++i) {
    const Mount& mount = spec.mounts[i];
    const Place at = place("mounts[", i, "]");
    if (mount.destination.empty())
      return broken(place(at.view(), ".destination"), "must not be empty");
    const MountOptions options = TRY(parse_mount_options(mount, at.view()));
    if (options.bind && !options.remount && mount.source.value_or("").empty()) {
      return broken(place(at.view(), ".source"), "is required for a bind mount");
    }
    if (!options.bind && !options.remount && mount.type.value_or("").empty()) {
      return broken(place(at.view(), ".type"), "is required unless options contain bind or rbind");
    }
    TRY(check_mapped_mount(spec, mount, options, at));
  }
  return {};
}

Result<> check_hooks(const Spec& spec) {
  const std::pair<Text, const std::vector<Hook>*> lists[] = {
      {"prestart", &spec.hooks.prestart},
      {"createRuntime", &spec.hooks.create_runtime},
      {"createContainer", &spec.hooks.create_container},
      {"startContainer", &spec.hooks.start_container},
      {"poststart", &spec.hooks.poststart},
      {"poststop", &spec.hooks.poststop},
  };
  for (const auto& [name, hooks] : lists) {
    for (size_t i = 0; i < hooks->size(); ++i) {
      const Hook& hook = (*hooks)[i];
      const Place at = place("hooks.", name, "[", i, "]");
      if (!is_absolute(hook.path))
        return broken(place(at.view(), ".path"), "must be an absolute path");
      if (hook.env) TRY(check_environment(*hook.env, place(at.view(), ".env").view()));
    }
  }
  return {};
}

Result<> check_annotations(const Spec& spec) {
  for (const auto& [key, value] : spec.annotations) {
    if (key.empty()) return broken("annotations", "a key must not be empty");
  }
  return {};
}

using Check = Result<> (*)(const Spec&);

constexpr Check kResourceChecks[] = {
    check_memory,          check_cpu,     check_block_io, check_hugepages, check_device_rules,
    check_cgroup_networks, check_unified,
};

constexpr Check kProcessChecks[] = {
    check_program,   check_user,      check_console_size, check_rlimits,
    check_oom_score, check_scheduler, check_io_priority,  check_exec_cpu_affinity,
};

constexpr Check kChecks[] = {
    check_version,        check_root,         check_names,      check_mounts,
    check_hooks,          check_annotations,  validate_process, check_namespaces,
    check_user_namespace, check_time_offsets, check_devices,    check_net_devices,
    check_sysctls,        check_hidden_paths, check_intel_rdt,  check_memory_policy,
    validate_resources,   check_seccomp,
};

}  // namespace

const Namespace* find_namespace(const Spec& spec, NamespaceType type) {
  const auto found = std::ranges::find(spec.linux.namespaces, type, &Namespace::type);
  return found == spec.linux.namespaces.end() ? nullptr : &*found;
}

std::optional<size_t> find_repetition(const TextList& texts) {
  std::vector<size_t> order(texts.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](size_t i) { return std::pair(texts[i], i); });
  for (size_t i = 1; i < order.size(); ++i) {
    if (texts[order[i]] == texts[order[i - 1]]) return order[i];
  }
  return std::nullopt;
}

Result<> check_absolute_paths(const TextList& paths, std::string_view field) {
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!is_absolute(paths[i]))
      return broken(place(field, "[", i, "]"), "must be an absolute path");
  }
  return {};
}

// The entry itself is not printed: it may be a secret.
Result<> check_environment(const TextList& env, std::string_view field) {
  for (size_t i = 0; i < env.size(); ++i) {
    const size_t equals = env[i].find('=');
    if (equals == Text::npos || equals == 0) {
      return broken(place(field, "[", i, "]"), "must have the form NAME=value");
    }
  }
  return {};
}

Result<> check_id_mappings(const std::vector<IdMapping>& mappings, std::string_view field) {
  constexpr size_t kMaxMappings = 340;  // UID_GID_MAP_MAX_EXTENTS of the kernel
  if (mappings.size() > kMaxMappings) {
    return broken(field, "the kernel accepts at most ", kMaxMappings, " mappings");
  }
  for (size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping& mapping = mappings[i];
    constexpr uint64_t kIds = uint64_t{1} << 32;
    if (mapping.size == 0) return broken(place(field, "[", i, "].size"), "must be at least 1");
    if (uint64_t{mapping.container_id} + mapping.size > kIds ||
        uint64_t{mapping.host_id} + mapping.size > kIds) {
      return broken(place(field, "[", i, "].size"), "exceeds the largest id, 4294967295");
    }
  }
  return {};
}

Result<> validate_resources(const Spec& spec) {
  for (const Check check : kResourceChecks) TRY(check(spec));
  return {};
}

Result<> validate_process(const Spec& spec) {
  for (const Check check : kProcessChecks) TRY(check(spec));
  return {};
}

Result<> validate(const Spec& spec) {
  for (const Check check : kChecks) TRY(check(spec));
  return {};
}

}  // namespace onggi::spec
