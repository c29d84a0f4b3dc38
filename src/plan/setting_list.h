// SPDX-License-Identifier: Apache-2.0
// The settings of one cgroup directory while resources are translated.
#pragma once

#include "base/text.h"
#include "plan/cgroup_plan.h"

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

namespace onggi::plan {

struct SettingList {
  uint8_t directory = 0;
  std::vector<CgroupSetting> settings;
  std::vector<std::string> warnings;

  CgroupSetting& add(std::string_view place, std::string_view file, std::string_view value) {
    CgroupSetting& setting = settings.emplace_back();
    setting.directory = directory;
    setting.file = file;
    setting.value = value;
    setting.place = place;
    return setting;
  }
  template <std::integral I>
  CgroupSetting& add(std::string_view place, std::string_view file, I value) {
    return add(place, file, text<24>(value).view());
  }
};

// Translates a part of linux.resources into the files of one controller. What the hierarchy cannot
// do is an error.
using Translation = Result<> (*)(const spec::Resources& resources, SettingList& list);

}  // namespace onggi::plan
