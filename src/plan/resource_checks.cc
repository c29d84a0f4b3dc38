// SPDX-License-Identifier: Apache-2.0
// The arithmetic and the checks that do not depend on the version of cgroups.
#include "plan/resource_checks.h"

namespace onggi::plan {
namespace {

// "[1-9][0-9]*[KMG]B". The text becomes part of a file name, so nothing else may pass (no '/', no
// "..").
bool is_page_size(std::string_view size) {
  if (size.size() < 3 || !size.ends_with('B')) return false;
  const char unit = size[size.size() - 2];
  const std::string_view digits = size.substr(0, size.size() - 2);
  return (unit == 'K' || unit == 'M' || unit == 'G') && digits.front() != '0' &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Result<> check_swap(int64_t limit, int64_t swap) {
  constexpr std::string_view kPlace = "linux.resources.memory.swap";
  if (limit < -1)
    return config_error("linux.resources.memory.limit", "must be -1 or more, not ", limit);
  if (swap < -1) return config_error(kPlace, "must be -1 or more, not ", swap);
  if (swap <= 0) return {};
  if (limit == 0)
    return config_error(kPlace,
                        "memory and swap cannot be limited without linux.resources.memory.limit");
  if (swap < limit) {
    return config_error(kPlace, swap, " (memory plus swap) is below linux.resources.memory.limit ",
                        limit);
  }
  return {};
}

Result<> check_block_weight(uint16_t weight, std::string_view place) {
  if (weight < 10 || weight > 1000) return config_error(place, "must be 10 to 1000, not ", weight);
  return {};
}

Result<> check_shares(uint64_t shares) {
  constexpr uint64_t kLeast = 2, kMost = 262144;  // MIN_SHARES, MAX_SHARES of the kernel
  if (shares >= kLeast && shares <= kMost) return {};
  return config_error("linux.resources.cpu.shares", "must be ", kLeast, " to ", kMost,
                      ", or 0 (not set), not ", shares);
}

Result<> check_idle(const spec::Cpu& cpu) {
  if (cpu.idle && *cpu.idle != 0 && *cpu.idle != 1) {
    return config_error("linux.resources.cpu.idle", "must be 0 or 1, not ", *cpu.idle);
  }
  return {};
}

void warn_of_kernel_memory(const spec::Memory& memory, SettingList& list) {
  // Not recommended by the specification since 1.1, and gone from Linux 5.11 on.
  if (memory.kernel) {
    list.warnings.emplace_back(
        "linux.resources.memory.kernel: the kernel no longer supports this limit, ignoring");
  }
  if (memory.kernel_tcp) {
    list.warnings.emplace_back(
        "linux.resources.memory.kernelTCP: the kernel no longer supports this limit, ignoring");
  }
}

Result<> add_cpuset(const spec::Resources& resources, SettingList& list) {
  if (!resources.cpu) return {};
  if (!resources.cpu->cpus.empty())
    list.add("linux.resources.cpu.cpus", "cpuset.cpus", resources.cpu->cpus);
  if (!resources.cpu->mems.empty())
    list.add("linux.resources.cpu.mems", "cpuset.mems", resources.cpu->mems);
  return {};
}

Result<> add_pids_limit(const spec::Resources& resources, SettingList& list) {
  if (!resources.pids_limit) return {};
  constexpr std::string_view kPlace = "linux.resources.pids.limit";
  const int64_t limit = *resources.pids_limit;
  if (limit < 0) {
    list.add(kPlace, "pids.max", "max");
  } else {
    // With 0 the container's own first process could not be made; the least that it can run with
    // is 1.
    list.add(kPlace, "pids.max", limit == 0 ? 1 : limit);
  }
  return {};
}

Result<> add_hugepage_limits(const spec::Resources& resources, std::string_view suffix,
                             SettingList& list) {
  for (size_t i = 0; i < resources.hugepage_limits.size(); i++) {
    const spec::HugepageLimit& given = resources.hugepage_limits[i];
    const auto place = text<96>("linux.resources.hugepageLimits[", i, "]");
    if (!is_page_size(given.page_size)) {
      return config_error(text<112>(place.view(), ".pageSize").view(), "'", given.page_size,
                          "' is not a valid page size, such as 64KB, 2MB or 1GB");
    }
    list.add(place.view(), text<96>("hugetlb.", given.page_size, ".", suffix).view(), given.limit)
        .missing_hint =
        "this kernel does not support huge pages of that size: /sys/kernel/mm/hugepages lists the "
        "sizes";
    // What is reserved by mmap(2) but not touched yet is counted apart, since Linux 5.7.
    list.add(place.view(), text<96>("hugetlb.", given.page_size, ".rsvd.", suffix).view(),
             given.limit)
        .ignore_missing = true;
  }
  return {};
}

Result<> add_rdma_limits(const spec::Resources& resources, SettingList& list) {
  for (const spec::Rdma& given : resources.rdma) {
    const auto place = text<112>("linux.resources.rdma.", given.device);
    if (!given.hca_handles && !given.hca_objects) {
      return config_error(place.view(), "requires hcaHandles or hcaObjects");
    }
    if (given.device.find_first_of(" \n") != spec::Text::npos) {
      return config_error(place.view(), "is not a valid device name");
    }
    auto line = text<160>(given.device);
    if (given.hca_handles) line.append(" hca_handle=", *given.hca_handles);
    if (given.hca_objects) line.append(" hca_object=", *given.hca_objects);
    list.add(place.view(), "rdma.max", line.view());
  }
  return {};
}

}  // namespace onggi::plan
