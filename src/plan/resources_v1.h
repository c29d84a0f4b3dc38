// SPDX-License-Identifier: Apache-2.0
// linux.resources → files of cgroup v1, one function a controller (config-linux.md, "Control
// groups"). Pure.
#pragma once

#include "plan/setting_list.h"

namespace onggi::plan::v1 {

Result<> memory(const spec::Resources& resources, SettingList& list);
Result<> cpu(const spec::Resources& resources, SettingList& list);
Result<> blkio(const spec::Resources& resources, SettingList& list);
Result<> hugetlb(const spec::Resources& resources, SettingList& list);
Result<> net_cls(const spec::Resources& resources, SettingList& list);
Result<> net_prio(const spec::Resources& resources, SettingList& list);
Result<> rdma(const spec::Resources& resources, SettingList& list);
Result<> devices(const DevicePolicy& policy, SettingList& list);

}  // namespace onggi::plan::v1
