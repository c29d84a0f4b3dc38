// SPDX-License-Identifier: Apache-2.0
// Rules of config-linux.md#control-groups that hold for both cgroup versions.
#include "base/ascii.h"
#include "spec/checks.h"

namespace onggi::spec {

Result<> check_memory(const Spec& spec) {
  if (!spec.linux.resources || !spec.linux.resources->memory) return {};
  const Memory& memory = *spec.linux.resources->memory;
  const std::pair<Text, std::optional<int64_t>> limits[] = {
      {"limit", memory.limit}, {"reservation", memory.reservation}, {"swap", memory.swap}};
  for (const auto& [field, value] : limits) {
    if (value.value_or(0) < -1) {
      return broken(place("linux.resources.memory.", field),
                    "must be -1 (unlimited) or a number of bytes");
    }
  }
  // `swap` is the limit of memory and swap together, and 0 counts as absent, as engines mean it.
  const int64_t limit = memory.limit.value_or(0), swap = memory.swap.value_or(0);
  // Beside an unlimited memory it is for swap alone, in v2 (plan/resources_v2.cc).
  if (swap > 0 && limit == 0) {
    return broken("linux.resources.memory.swap",
                  "requires a memory limit: swap limits memory plus swap");
  }
  if (swap > 0 && swap < limit) {
    return broken("linux.resources.memory.swap",
                  "must not be below the memory limit: swap limits memory plus swap");
  }
  if (memory.swappiness.value_or(0) > 100) {
    return broken("linux.resources.memory.swappiness", "must be an integer from 0 to 100");
  }
  return {};
}

Result<> check_cpu(const Spec& spec) {
  if (!spec.linux.resources || !spec.linux.resources->cpu) return {};
  const int64_t idle = spec.linux.resources->cpu->idle.value_or(0);
  if (idle != 0 && idle != 1) return broken("linux.resources.cpu.idle", "must be 0 or 1");
  return {};
}

// Docker writes 0 for "not set".
static Result<> check_weight(std::optional<uint16_t> weight, const Place& at) {
  const uint16_t value = weight.value_or(0);
  if (value != 0 && (value < 10 || value > 1000))
    return broken(at, "must be an integer from 10 to 1000");
  return {};
}

Result<> check_block_io(const Spec& spec) {
  if (!spec.linux.resources || !spec.linux.resources->block_io) return {};
  const BlockIo& block_io = *spec.linux.resources->block_io;
  TRY(check_weight(block_io.weight, "linux.resources.blockIO.weight"));
  TRY(check_weight(block_io.leaf_weight, "linux.resources.blockIO.leafWeight"));
  for (size_t i = 0; i < block_io.weight_device.size(); ++i) {
    const Place at = place("linux.resources.blockIO.weightDevice[", i, "]");
    const WeightDevice& device = block_io.weight_device[i];
    if (!device.weight && !device.leaf_weight) return broken(at, "requires weight or leafWeight");
    TRY(check_weight(device.weight, place(at.view(), ".weight")));
    TRY(check_weight(device.leaf_weight, place(at.view(), ".leafWeight")));
  }
  return {};
}

// ^[1-9][0-9]*[KMG]B$: it becomes a part of file names (hugetlb.2MB.max), so nothing else may pass.
static bool is_page_size(Text size) {
  if (size.size() < 3 || !size.ends_with('B')) return false;
  const char unit = size[size.size() - 2];
  const Text digits = size.substr(0, size.size() - 2);
  return (unit == 'K' || unit == 'M' || unit == 'G') && digits[0] != '0' &&
         digits.find_first_not_of("0123456789") == Text::npos;
}

Result<> check_hugepages(const Spec& spec) {
  if (!spec.linux.resources) return {};
  const auto& limits = spec.linux.resources->hugepage_limits;
  for (size_t i = 0; i < limits.size(); ++i) {
    if (!is_page_size(limits[i].page_size)) {
      return broken(place("linux.resources.hugepageLimits[", i, "].pageSize"), "\"",
                    limits[i].page_size, "\" is not a valid page size, such as 64KB, 2MB or 1GB");
    }
  }
  return {};
}

Result<> check_device_rules(const Spec& spec) {
  if (!spec.linux.resources) return {};
  const auto& rules = spec.linux.resources->devices;
  for (size_t i = 0; i < rules.size(); ++i) {
    const Place at = place("linux.resources.devices[", i, "]");
    if (rules[i].access.find_first_not_of("rwm") != Text::npos) {
      return broken(place(at.view(), ".access"), "must contain only the letters r, w and m");
    }
    if (rules[i].major.value_or(-1) < -1 || rules[i].major.value_or(-1) > 0xffffffff) {
      return broken(place(at.view(), ".major"), "must be -1 (any) or a device number");
    }
    if (rules[i].minor.value_or(-1) < -1 || rules[i].minor.value_or(-1) > 0xffffffff) {
      return broken(place(at.view(), ".minor"), "must be -1 (any) or a device number");
    }
  }
  return {};
}

// The names are written into lines of control files.
static bool is_word(Text name) {
  return !name.empty() && name.find_first_of(" \t\n\v\f\r") == Text::npos;
}

Result<> check_cgroup_networks(const Spec& spec) {
  if (!spec.linux.resources) return {};
  if (const auto& network = spec.linux.resources->network) {
    for (size_t i = 0; i < network->priorities.size(); ++i) {
      if (!is_word(network->priorities[i].name)) {
        return broken(place("linux.resources.network.priorities[", i, "].name"), "\"",
                      network->priorities[i].name, "\" is not a valid interface name");
      }
    }
  }
  for (const Rdma& rdma : spec.linux.resources->rdma) {
    if (!is_word(rdma.device)) {
      return broken("linux.resources.rdma", "\"", rdma.device, "\" is not a valid device name");
    }
  }
  return {};
}

namespace {

// The core's files that are settings of this cgroup alone. The others move processes, hand
// controllers on, freeze or kill (Documentation/admin-guide/cgroup-v2.rst, "Core Interface Files"):
// with "cgroup.procs" a configuration could move any process of the host.
constexpr Text kCoreSettings[] = {"cgroup.max.depth", "cgroup.max.descendants", "cgroup.pressure"};

// CONTROLLER.SETTING. The key becomes the name of a file, so nothing that could be part of a path.
bool is_control_file(Text key) {
  const size_t dot = key.find('.');
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
  };
  return dot != Text::npos && dot > 0 && !key.ends_with('.') && std::ranges::all_of(key, allowed);
}

Result<> check_setting(Text key, const Place& at) {
  if (!is_control_file(key)) {
    return with_hint(broken(at, "is not the name of a cgroup file"),
                     "use CONTROLLER.SETTING, such as \"memory.high\"");
  }
  if (key.starts_with("cgroup.") &&
      std::ranges::find(kCoreSettings, key) == std::end(kCoreSettings)) {
    return with_hint(broken(at, "does not set a resource"),
                     "of the files cgroup.*, only cgroup.max.depth, cgroup.max.descendants and "
                     "cgroup.pressure can be set");
  }
  return {};
}

}  // namespace

Result<> check_unified(const Spec& spec) {
  if (!spec.linux.resources) return {};
  for (const auto& [key, value] : spec.linux.resources->unified) {
    const Place at = place("linux.resources.unified[\"", key, "\"]");
    TRY(check_setting(key, at));
    // An empty limit would be 0 for some files, and the absence of a limit for others.
    if (value.find_first_not_of('\n') == Text::npos) return broken(at, "must not be empty");
  }
  return {};
}

}  // namespace onggi::spec
