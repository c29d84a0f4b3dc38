// SPDX-License-Identifier: Apache-2.0
// The rules of spec::validate, a function for each chapter or field, and what several of them need.
#pragma once

#include "base/result.h"
#include "base/text.h"
#include "spec/spec.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

namespace onggi::spec {

// The place of an error: "mounts[3].destination".
struct Place : FixedText<128> {
  Place(const char* field)
      : FixedText(std::string_view(field)) {}  // NOLINT(google-explicit-constructor)
  Place(Text field) : FixedText(field) {}      // NOLINT(google-explicit-constructor)
};

template <class... Parts>
Place place(const Parts&... parts) {
  Place joined("");
  (joined.append(parts), ...);
  return joined;
}

template <class... Parts>
Error broken(const Place& at, const Parts&... parts) {
  return config_error(at.view(), parts...);
}

inline bool is_absolute(Text path) {
  return path.starts_with('/');
}

const Namespace* find_namespace(const Spec& spec, NamespaceType type);

// "/a", "b" and "/a" again: 2, the index of the second one. Not quadratic.
std::optional<size_t> find_repetition(const TextList& texts);

Result<> check_absolute_paths(const TextList& paths, std::string_view field);
Result<> check_environment(const TextList& env, std::string_view field);
Result<> check_id_mappings(const std::vector<IdMapping>& mappings, std::string_view field);

// validate_process.cc
Result<> check_program(const Spec& spec);
Result<> check_user(const Spec& spec);
Result<> check_console_size(const Spec& spec);
Result<> check_rlimits(const Spec& spec);
Result<> check_oom_score(const Spec& spec);
Result<> check_scheduler(const Spec& spec);
Result<> check_io_priority(const Spec& spec);
Result<> check_exec_cpu_affinity(const Spec& spec);

// validate_linux.cc
Result<> check_namespaces(const Spec& spec);
Result<> check_user_namespace(const Spec& spec);
Result<> check_time_offsets(const Spec& spec);
Result<> check_devices(const Spec& spec);
Result<> check_net_devices(const Spec& spec);
Result<> check_sysctls(const Spec& spec);
Result<> check_hidden_paths(const Spec& spec);
Result<> check_intel_rdt(const Spec& spec);
Result<> check_memory_policy(const Spec& spec);

// validate_resources.cc
Result<> check_memory(const Spec& spec);
Result<> check_cpu(const Spec& spec);
Result<> check_block_io(const Spec& spec);
Result<> check_hugepages(const Spec& spec);
Result<> check_device_rules(const Spec& spec);
Result<> check_cgroup_networks(const Spec& spec);
Result<> check_unified(const Spec& spec);

// validate_seccomp.cc
Result<> check_seccomp(const Spec& spec);

}  // namespace onggi::spec
