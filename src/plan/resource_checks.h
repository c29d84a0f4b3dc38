// SPDX-License-Identifier: Apache-2.0
// What the translations to v1 and v2 have in common. Pure.
#pragma once

#include "plan/setting_list.h"

namespace onggi::plan {

// `limit` and `swap` (memory and swap together) in bytes: 0 is unset, -1 unlimited.
Result<> check_swap(int64_t limit, int64_t swap);
Result<> check_block_weight(uint16_t weight, std::string_view place);
// Of cpu.shares in v1, where the kernel would write another number. In v2 the weight is the
// nearest, as with runc.
Result<> check_shares(uint64_t shares);
Result<> check_idle(const spec::Cpu& cpu);
void warn_of_kernel_memory(const spec::Memory& memory, SettingList& list);

// cpuset, pids.max and rdma.max are the same files in both; hugetlb differs by its suffix
// ("limit_in_bytes", "max").
Result<> add_cpuset(const spec::Resources& resources, SettingList& list);
Result<> add_pids_limit(const spec::Resources& resources, SettingList& list);
Result<> add_hugepage_limits(const spec::Resources& resources, std::string_view suffix,
                             SettingList& list);
Result<> add_rdma_limits(const spec::Resources& resources, SettingList& list);

}  // namespace onggi::plan
