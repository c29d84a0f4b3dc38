// SPDX-License-Identifier: Apache-2.0
// Device rules: their order, their reduction for v1.
#include "plan/device_rules.h"

#include "plan/resources_v1.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using namespace onggi;

// Without the default rules, which are the same at the end of every list.
std::string policy_of(const std::vector<spec::DeviceRule>& rules) {
  const auto policy = plan::build_device_policy(rules);
  if (!policy)
    return std::string(policy.error().place.view()) + ": " +
           std::string(policy.error().message.view());
  std::string text = policy.value().default_allow ? "allow" : "deny";
  for (const plan::DeviceRule& rule : policy.value().rules) {
    if (rule.place == "linux.resources.devices") break;
    text += std::string(rule.allow ? " +" : " -") + plan::render(rule);
  }
  return text;
}

std::string v1_of(const std::vector<plan::DeviceRule>& rules, bool default_allow = false) {
  plan::SettingList list;
  const Result<> result = plan::v1::devices({default_allow, rules}, list);
  if (!result)
    return std::string(result.error().place.view()) + ": " +
           std::string(result.error().message.view());
  std::string text;
  for (const plan::CgroupSetting& setting : list.settings) {
    text += (text.empty() ? "" : "; ") + setting.file.substr(8) + " " + setting.value;
  }
  return text;
}

plan::DeviceRule rule(bool allow, char type, int64_t major, int64_t minor, int access) {
  return {allow, type, major, minor, static_cast<uint8_t>(access), "here"};
}
constexpr int64_t kAny = plan::kAnyNumber;

TEST_CASE("rules keep their order, and one for everything voids those before it") {
  CHECK(policy_of({}) == "deny");
  CHECK(policy_of({{false, 'a', {}, {}, "rwm"}}) == "deny");
  CHECK(policy_of({{true, 'a', {}, {}, ""}}) == "allow");
  CHECK(
      policy_of({{true, 'c', 1, 3, "rw"}, {false, 'a', -1, {}, "mrw"}, {true, 'b', 8, {}, "r"}}) ==
      "deny +b 8:* r");
  CHECK(policy_of({{true, 'a', 10, 200, "rw"}}) == "deny +c 10:200 rw +b 10:200 rw");
  CHECK(policy_of({{true, 'a', {}, {}, "m"}}) == "deny +c *:* m +b *:* m");
}

TEST_CASE("what is not a rule is refused with its index") {
  CHECK(policy_of({{}, {true, 'c', 1, 3, "rx"}}) ==
        "linux.resources.devices[1]: access 'rx' may contain only the letters r, w and m");
  CHECK(policy_of({{true, 'c', -2, 3, "r"}}) ==
        "linux.resources.devices[0]: no such device number: -2");
  CHECK(policy_of({{true, 'c', 1, int64_t{1} << 20, "r"}}) ==
        "linux.resources.devices[0]: no such device number: 1048576");
}

TEST_CASE("every container has the default devices") {
  const auto policy = plan::build_device_policy({});
  CHECK(v1_of(policy.value().rules) ==
        "deny a; allow c *:* m; allow b *:* m; allow c 1:3 rwm; allow c 1:5 rwm; allow c 1:7 rwm; "
        "allow c 1:8 rwm; "
        "allow c 1:9 rwm; allow c 5:0 rwm; allow c 5:1 rwm; allow c 5:2 rwm; "
        "allow c 10:200 rwm; allow c 136:* rwm");
}

TEST_CASE("v1 gets no rule twice and none that another covers") {
  CHECK(v1_of({rule(true, 'c', 1, 3, 7), rule(true, 'c', 1, 3, 7)}) == "deny a; allow c 1:3 rwm");
  CHECK(v1_of({rule(true, 'c', 1, 3, 2), rule(true, 'c', 1, 3, 4)}) == "deny a; allow c 1:3 rw");
  CHECK(v1_of({rule(true, 'c', 1, kAny, 7), rule(true, 'c', 1, 3, 2)}) ==
        "deny a; allow c 1:* rwm");
  CHECK(v1_of({rule(true, 'c', 1, 3, 2), rule(true, 'c', 1, kAny, 7)}) ==
        "deny a; allow c 1:* rwm");
}

TEST_CASE("v1 gets one rule that covers all of an access that two allow") {
  CHECK(v1_of({rule(true, 'c', kAny, kAny, 1), rule(true, 'c', 1, 3, 6)}) ==
        "deny a; allow c *:* m; allow c 1:3 rwm");
  CHECK(v1_of({rule(true, 'c', 1, 3, 6), rule(true, 'c', kAny, kAny, 1)}) ==
        "deny a; allow c 1:3 rwm; allow c *:* m");
}

TEST_CASE("a rule that takes back an earlier one leaves the rest") {
  CHECK(v1_of({rule(true, 'c', 1, 3, 7), rule(false, 'c', 1, 3, 4)}) == "deny a; allow c 1:3 rm");
  CHECK(v1_of({rule(true, 'c', 1, 3, 7), rule(true, 'b', 8, 0, 7),
               rule(false, 'c', kAny, kAny, 7)}) == "deny a; allow b 8:0 rwm");
  CHECK(v1_of({rule(false, 'c', 1, 3, 4), rule(true, 'c', 1, 3, 7)}) == "deny a; allow c 1:3 rwm");
  CHECK(v1_of({rule(false, 'b', 8, kAny, 7), rule(true, 'b', kAny, kAny, 1)}, true) ==
        "deny b 8:* rw");
}

TEST_CASE("exceptions from exceptions of allowing all are said as what is allowed") {
  CHECK(v1_of({rule(false, 'c', kAny, kAny, 4), rule(true, 'c', 1, 3, 7)}, true) ==
        "deny a; allow c *:* rm; allow b *:* rwm; allow c 1:3 rwm");
}

TEST_CASE("what v1 cannot say is an error with the rule's place") {
  CHECK(v1_of({rule(true, 'c', 1, kAny, 7), rule(false, 'c', 1, 3, 2)}) ==
        "here: cgroup v1 cannot deny a part (c 1:3 r) of what an earlier rule allows (c 1:* rwm)");
  CHECK(v1_of({rule(true, 'c', 1, kAny, 1), rule(false, 'c', 1, 3, 2)}) == "deny a; allow c 1:* m");
}

}  // namespace
