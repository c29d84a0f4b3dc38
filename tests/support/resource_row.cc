// SPDX-License-Identifier: Apache-2.0
// The rivals are held to what `create` writes alone: what their `update` knows of a document is
// another, smaller, set of fields for each of their versions.
#include "support/resource_row.h"

#include "support/unit.h"

#include <algorithm>
#include <deque>

namespace onggi::test {
namespace {

namespace fs = std::filesystem;

std::string field_of(const ResourceRow& row) {
  const std::string field = row.field;
  return field.substr(0, field.find(' '));
}

std::string first_rdma_device() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/sys/class/infiniband", ignored))
    return entry.path().filename();
  return "none";
}

std::string filled_in(std::string text) {
  const std::string disk = disk_number();
  const size_t colon = std::min(disk.find(':'), disk.size() - 1);
  const std::pair<std::string, std::string> values[] = {{"$MAJOR", disk.substr(0, colon)},
                                                        {"$MINOR", disk.substr(colon + 1)},
                                                        {"$DISK", disk},
                                                        {"$RDMA", first_rdma_device()}};
  for (const auto& [name, value] : values) {
    for (size_t at = 0; (at = text.find(name, at)) != std::string::npos; at += value.size())
      text.replace(at, name.size(), value);
  }
  return text;
}

// Of the hierarchy that the planner takes, too: v1 before v2.
const Side& side_of(const ResourceRow& row) {
  const bool v2 = cgroup_v2().met || in_cgroup_v2(row.v2.controller);
  return v2 && !in_cgroup_v1(row.v1.controller) ? row.v2 : row.v1;
}

bool has_controller(const Side& side) {
  return *side.controller == 0 || in_cgroup_v1(side.controller) || in_cgroup_v2(side.controller);
}

// Whether the case may go on; says all that it needs and knows first.
bool may_run(const Side& side, RowDriver driver) {
  if (!meets(root())) return false;
  if (driver == RowDriver::systemd && !meets(systemd())) return false;
  if (!has_controller(side)) return meets(onggi_only());
  for (const auto& need : side.needs) {
    if (!meets(need())) return false;
  }
  for (const auto& [runtime, reason] : side.rivals) deviates(runtime, reason);
  return true;
}

// A container in a cgroup of the driver.
struct Limited {
  Limited(RowDriver driver, const std::string& resources)
      : container(bundle, options(driver, log())) {
    if (driver == RowDriver::systemd) {
      bundle.set("/linux/cgroupsPath", "system.slice:onggi:" + container.id());
      unit = "onggi-" + container.id() + ".scope";
    }
    bundle.set_json("/linux/resources", resources).guest({"pause"});
    created = container.create();
  }
  static Strings options(RowDriver driver, const std::string& log) {
    Strings options = {"--log", log};
    if (is_onggi()) options.insert(options.end(), {"--log-level", "warning"});
    if (driver == RowDriver::systemd) options.push_back("--systemd-cgroup");
    return options;
  }
  std::string log() const { return (bundle.path() / "log").string(); }
  Bundle bundle;
  Container container;
  std::string unit;
  Outcome created;
};

// The rules of v1 are a set.
std::string sorted(const std::string& text) {
  Strings rules = lines(text);
  std::ranges::sort(rules);
  std::string all;
  for (const std::string& rule : rules) all += (all.empty() ? "" : "\n") + rule;
  return all;
}

std::string reading_of(const fs::path& cgroup, const Reading& reading) {
  if (reading.name == std::string_view(kOpenable)) return openable_in(cgroup);
  const std::string text = cgroup_file(cgroup, reading.name);
  if (reading.name == std::string_view("devices.list")) return sorted(text);
  if (reading.key == nullptr) return text;
  return value_of(text, filled_in(reading.key));
}

void check_readings(const Limited& limited, const Side& side, const char* Reading::*expected) {
  const fs::path cgroup = cgroup_directory(limited.container.pid(), side.controller);
  for (const Reading& file : side.files) {
    CAPTURE(std::string(file.name));
    CHECK(reading_of(cgroup, file) == filled_in(file.*expected));
  }
  if (limited.unit.empty()) return;
  for (const Reading& property : side.properties) {
    CAPTURE(std::string(property.name));
    CHECK(shown(limited.unit, property.name) == filled_in(property.*expected));
  }
}

void check_refused(const ResourceRow& row, RowDriver driver) {
  const std::string place = "linux.resources." + field_of(row);
  const Limited refused(driver, filled_in(row.create));
  CHECK_FALSE(refused.created.ok());
  if (!is_onggi()) return;
  CHECK(contains(refused.created.err, place));
  CHECK_FALSE(fs::exists(state_root() / refused.container.id()));
  CHECK(tagged_cgroups().empty());
  const Limited plain(driver, "{}");
  REQUIRE_MESSAGE(plain.created.ok(), plain.created.err);
  const Outcome updated = plain.container.update(filled_in(row.update));
  CHECK_FALSE(updated.ok());
  CHECK(contains(updated.err, place));
}

}  // namespace

void check_row(const ResourceRow& row, RowDriver driver) {
  const Clean clean;
  const Side& side = side_of(row);
  if (!may_run(side, driver)) return;
  if (side.files.empty() || !has_controller(side)) return check_refused(row, driver);
  const Limited limited(driver, filled_in(row.create));
  REQUIRE_MESSAGE(limited.created.ok(), limited.created.err);
  check_readings(limited, side, &Reading::created);
  if (!is_onggi()) return;
  const std::string place = "linux.resources." + field_of(row);
  CHECK(contains(read_file(limited.log()), place) == row.warns);
  const Outcome updated = limited.container.update(filled_in(row.update));
  CHECK_MESSAGE(updated.ok() != side.update_refused, updated.err);
  CHECK(contains(updated.err, place) == (row.warns || side.update_refused));
  check_readings(limited, side, &Reading::updated);
}

void register_row(const ResourceRow& row, RowDriver driver, void (*check)()) {
  static std::deque<std::string> names;  // doctest keeps the pointers
  const char* how = driver == RowDriver::files ? ", by files" : ", by systemd";
  names.push_back(std::string(row.field) + how);
  doctest::detail::regTest(
      doctest::detail::TestCase(check, row.where.file_name(), row.where.line(),
                                doctest_detail_test_suite_ns::getCurrentTestSuite()) *
      names.back().c_str());
}

}  // namespace onggi::test
