// SPDX-License-Identifier: Apache-2.0
// linux.resources → files of cgroup v2, one function a controller (config-linux.md, "Control
// groups"). Pure.
#pragma once

#include "plan/setting_list.h"

#include <cstdint>

namespace onggi::plan::v2 {

Result<> memory(const spec::Resources& resources, SettingList& list);
Result<> cpu(const spec::Resources& resources, SettingList& list);
Result<> io(const spec::Resources& resources, SettingList& list);
Result<> hugetlb(const spec::Resources& resources, SettingList& list);
Result<> net_cls(const spec::Resources& resources, SettingList& list);
Result<> net_prio(const spec::Resources& resources, SettingList& list);
Result<> rdma(const spec::Resources& resources, SettingList& list);
Result<> unified(const spec::Resources& resources, SettingList& list);

// cpu.weight (1..10000) for v1's cpu.shares (2..262144).
uint64_t weight_of_shares(uint64_t shares);
// io.weight (1..10000) for blkio.weight (10..1000).
uint64_t io_weight(uint64_t weight);

}  // namespace onggi::plan::v2
