// SPDX-License-Identifier: Apache-2.0
// Directories and small files; why the kernel refuses a write stands in info/last_cmd_status.
#include "linux/resctrl.h"

#include "base/ascii.h"
#include "base/file.h"

#include <algorithm>
#include <optional>

namespace onggi::resctrl {
namespace {

constexpr std::string_view kPlace = "linux.intelRdt";
constexpr size_t kFileLimit = 1 << 20;

std::string group_path(const plan::ResctrlPlan& plan) {
  return plan.group.empty() ? plan.mount_point : plan.mount_point + "/" + plan.group;
}

std::string monitor_path(const plan::ResctrlPlan& plan) {
  return group_path(plan) + "/mon_groups/" + plan.monitor;
}

Result<bool> exists(const std::string& path) {
  struct statx info = {};
  const long result = sys::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE, &info);
  if (result == 0) return true;
  if (result == -ENOENT) return false;
  return system_error(result, "statx", path);
}

std::string_view take(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view item = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return item;
}

// Without what the kernel pads with: "  L3" and "L3", "007f" and "7f".
std::string_view trim(std::string_view text, char padding) {
  while (text.size() > 1 && text.front() == padding) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// The value that `schemata` has for a resource and a domain of it; nothing if it has none.
std::optional<std::string_view> value_of(std::string_view schemata, std::string_view resource,
                                         std::string_view domain) {
  while (!schemata.empty()) {
    std::string_view line = take(schemata, '\n');
    if (trim(take(line, ':'), ' ') != resource) continue;
    while (!line.empty()) {
      std::string_view item = take(line, ';');
      if (trim(trim(take(item, '='), ' '), '0') == domain) return trim(trim(item, ' '), '0');
    }
  }
  return std::nullopt;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower_case, lower_case);
}

// Each domain that config.json names has to have that value; the others are not its business.
bool matches(std::string_view wanted, std::string_view schemata) {
  while (!wanted.empty()) {
    std::string_view line = take(wanted, '\n');
    const std::string_view resource = trim(take(line, ':'), ' ');
    if (line.empty()) return false;  // no domains: not a schema
    while (!line.empty()) {
      std::string_view item = take(line, ';');
      const std::string_view domain = trim(trim(take(item, '='), ' '), '0');
      const auto value = value_of(schemata, resource, domain);
      if (!value || !equal_ignoring_case(*value, trim(trim(item, ' '), '0'))) return false;
    }
  }
  return true;
}

Result<> check_schemata(const plan::ResctrlPlan& plan) {
  if (plan.schemata.empty()) return {};
  const std::string path = group_path(plan) + "/schemata";
  const std::string present = TRY_AT(kPlace, read_file(AT_FDCWD, path, kFileLimit));
  for (const plan::Schema& schema : plan.schemata) {
    if (matches(schema.text, present)) continue;
    return with_hint(
        config_error(schema.place, "'", schema.text, "' differs from '", path, "'"),
        "the class of service already exists: choose another closID, or use its schemata");
  }
  return {};
}

// With the kernel's own words, if it has any.
Error explained(Error error, const plan::ResctrlPlan& plan) {
  const Result<std::string> status =
      read_file(AT_FDCWD, plan.mount_point + "/info/last_cmd_status", kFileLimit);
  if (!status) return error;
  std::string_view text = status.value();
  const std::string_view reason = take(text, '\n');
  if (!reason.empty() && reason != "ok") error.message.append(" (", reason, ")");
  return error;
}

}  // namespace

std::string find_mount(std::string_view mounts) {
  while (!mounts.empty()) {
    std::string_view line = take(mounts, '\n');
    (void)take(line, ' ');  // the source
    const std::string_view target = take(line, ' ');
    if (take(line, ' ') == "resctrl") return std::string(target);
  }
  return {};
}

Result<std::vector<std::string>> check(const plan::ResctrlPlan& plan) {
  std::vector<std::string> missing;
  const std::string group = group_path(plan);
  if (TRY_AT(kPlace, exists(group))) {
    TRY(check_schemata(plan));
  } else if (plan.create) {
    missing.push_back(group);
  } else {
    return with_hint(config_error("linux.intelRdt.closID", "no class of service '", plan.group,
                                  "' in '", plan.mount_point, "'"),
                     "create it, or set its schemata in linux.intelRdt");
  }
  if (!plan.monitor.empty()) missing.push_back(monitor_path(plan));
  return missing;
}

Result<> make(const std::vector<std::string>& directories) {
  for (size_t i = 0; i < directories.size(); i++) {
    const long made = sys::mkdirat(AT_FDCWD, directories[i].c_str(), 0755);
    if (made == 0) continue;
    const Error error = at_place(system_error(made, "mkdir", directories[i]), kPlace);
    (void)remove({directories.begin(), directories.begin() + static_cast<ptrdiff_t>(i)});
    return error;
  }
  return {};
}

Result<> write_schemata(const plan::ResctrlPlan& plan) {
  const std::string path = group_path(plan) + "/schemata";
  for (const plan::Schema& schema : plan.schemata) {
    const std::string line = schema.text + "\n";  // the kernel insists on it
    const Result<> written = write_existing(AT_FDCWD, path, line);
    if (!written) return at_place(explained(written.error(), plan), schema.place);
  }
  return {};
}

Result<> add(const plan::ResctrlPlan& plan, int pid) {
  std::vector<std::string> groups = {group_path(plan)};
  if (!plan.monitor.empty()) groups.push_back(monitor_path(plan));
  for (const std::string& group : groups) {
    const Result<> written = write_existing(AT_FDCWD, group + "/tasks", std::to_string(pid));
    if (!written) return at_place(explained(written.error(), plan), kPlace);
  }
  return {};
}

std::vector<std::string> removed_with_container(const plan::ResctrlPlan& plan,
                                                const std::vector<std::string>& directories) {
  std::vector<std::string> removed = directories;
  if (!plan.remove) std::erase(removed, group_path(plan));
  return removed;
}

Result<> remove(const std::vector<std::string>& directories) {
  for (auto path = directories.rbegin(); path != directories.rend(); ++path) {
    const long removed = sys::unlinkat(AT_FDCWD, path->c_str(), AT_REMOVEDIR);
    if (removed < 0 && removed != -ENOENT) return system_error(removed, "rmdir", *path);
  }
  return {};
}

}  // namespace onggi::resctrl
