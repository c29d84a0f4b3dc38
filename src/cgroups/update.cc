// SPDX-License-Identifier: Apache-2.0
// The kernel checks values one by one as they are written, so a refusal may come after others were
// taken; these are then written back.
#include "cgroups/update.h"

#include "base/file.h"
#include "base/log.h"
#include "base/split.h"
#include "base/text.h"
#include "cgroups/device_program.h"
#include "cgroups/directory.h"
#include "cgroups/settings.h"
#include "cgroups/unified.h"

#include <algorithm>

namespace onggi::cgroups {
namespace {

// A word of a control file in any of the directories; nothing where no hierarchy has it.
Result<std::optional<std::string>> read_word(const std::vector<plan::CgroupDirectory>& directories,
                                             const char* file, int index = 0) {
  for (const plan::CgroupDirectory& directory : directories) {
    const std::optional<std::string> text =
        TRY(read_control(directory.mount_point + directory.path + "/" + file));
    if (!text) continue;
    size_t start = 0;
    for (int i = 0; i < index; i++) start = std::min(text->find(' ', start), text->size() - 1) + 1;
    return text->substr(start, text->find_first_of(" \n", start) - start);
  }
  return std::optional<std::string>();
}

// The kernel's way to say "no limit" in v1 is the greatest number of whole pages.
constexpr int64_t kUnlimitedV1 = int64_t{1} << 62;

Result<> complete_memory(spec::Memory& memory,
                         const std::vector<plan::CgroupDirectory>& directories) {
  if (memory.swap.value_or(0) <= 0 || memory.limit.value_or(0) != 0) return {};
  for (const char* file : {"memory.limit_in_bytes", "memory.max"}) {
    const std::optional<std::string> limit = TRY(read_word(directories, file));
    if (!limit) continue;
    const int64_t bytes = parse_decimal<int64_t>(*limit).value_or(-1);
    if (bytes < kUnlimitedV1) memory.limit = bytes;
    return {};
  }
  return {};
}

// Both halves: v2 has them in one file, and systemd makes one number of them.
Result<> complete_cpu(spec::Cpu& cpu, const std::vector<plan::CgroupDirectory>& directories) {
  const bool has_quota = cpu.quota.value_or(0) != 0;
  if (has_quota == (cpu.period.value_or(0) != 0)) return {};
  std::optional<std::string> other = TRY(read_word(directories, "cpu.max", has_quota ? 1 : 0));
  if (!other)
    other = TRY(read_word(directories, has_quota ? "cpu.cfs_period_us" : "cpu.cfs_quota_us"));
  if (!other) return {};
  if (has_quota) {
    cpu.period = parse_decimal<uint64_t>(*other);
  } else {
    cpu.quota = parse_decimal<int64_t>(*other).value_or(-1);
  }
  return {};
}

// v1 device rules are written one by one and cannot be read in the form that is written.
bool is_device_rule(const plan::CgroupSetting& setting) {
  return setting.file.starts_with("devices.");
}

std::vector<plan::CgroupSetting> read_device_rules(const plan::CgroupPlan& plan) {
  std::vector<plan::CgroupSetting> undo;
  const auto rule = std::ranges::find_if(plan.settings, is_device_rule);
  if (rule == plan.settings.end()) return undo;
  const plan::CgroupDirectory& directory = plan.directories[rule->directory];
  const auto list =
      read_file(AT_FDCWD, directory.mount_point + directory.path + "/devices.list", 1 << 20);
  if (!list) return undo;
  const auto add = [&](const char* file, std::string_view value) {
    plan::CgroupSetting& entry = undo.emplace_back();
    entry.directory = rule->directory;
    entry.file = file;
    entry.value = value;
    entry.place = rule->place;
  };
  add("devices.deny", "a");
  for (std::string_view line : lines_of(list.value())) add("devices.allow", line);
  return undo;
}

}  // namespace

Result<std::vector<plan::CgroupDirectory>> directories_of(const Group& group,
                                                          const plan::HostFacts& facts) {
  std::vector<plan::CgroupDirectory> directories;
  for (const plan::CgroupHierarchy& hierarchy : facts.cgroups) {
    const auto found =
        std::ranges::find(group.directories, hierarchy.mount_point, &GroupDirectory::mount_point);
    if (found == group.directories.end()) {
      return state_error("the container has no cgroup in '", hierarchy.mount_point, "'");
    }
    directories.push_back({.mount_point = found->mount_point,
                           .path = found->path,
                           .unified = found->unified,
                           .freezer = found->freezer});
  }
  return directories;
}

Result<> complete(spec::Resources& resources,
                  const std::vector<plan::CgroupDirectory>& directories) {
  if (resources.memory) TRY(complete_memory(*resources.memory, directories));
  if (resources.cpu) TRY(complete_cpu(*resources.cpu, directories));
  return {};
}

Change::Change(const plan::CgroupPlan& plan) : plan_(&plan), undo_(read_device_rules(plan)) {
  std::vector<plan::CgroupSetting> others;
  std::ranges::remove_copy_if(plan.settings, std::back_inserter(others), is_device_rule);
  std::ranges::move(read_settings(plan.directories, others), std::back_inserter(undo_));
}

Result<Change> Change::begin(const plan::CgroupPlan& plan) {
  Change change(plan);
  for (const plan::CgroupDirectory& directory : plan.directories) {
    if (!directory.unified || plan.controllers.empty()) continue;
    TRY(unified::enable_controllers(directory.mount_point, directory.path, plan.controllers));
  }
  TRY(write_settings(plan.directories, plan.settings));
  return change;
}

Change::~Change() {
  if (plan_ == nullptr) return;
  // One by one: what cannot be restored must not keep the rest from it.
  for (const plan::CgroupSetting& setting : undo_) {
    if (const Result<> restored = write_settings(plan_->directories, {&setting, 1}); !restored)
      log::warn(
          text<512>("the previous limits could not be restored: ", restored.error().message.view())
              .view());
  }
}

Result<> Change::repeat() {
  return write_settings(plan_->directories, plan_->settings);
}

Result<> Change::finish() {
  if (plan_->device_program) {
    const auto& directories = plan_->directories;
    const auto unified = std::ranges::find_if(directories, &plan::CgroupDirectory::unified);
    const UniqueFd directory = TRY(open_directory(AT_FDCWD, unified->mount_point + unified->path));
    TRY(attach_device_program(directory.get(), *plan_->device_program, false));
  }
  plan_ = nullptr;
  return {};
}

}  // namespace onggi::cgroups
