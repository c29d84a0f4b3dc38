// SPDX-License-Identifier: Apache-2.0
// Device rules are reduced symbolically instead of being written as they come: v1 forgets
// overlapping rules in ways of its own (devices.deny of "c *:* w" leaves an earlier "c 1:3 rwm"
// alone), and every write costs a system call.
#include "plan/device_rules.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace onggi::plan {
namespace {

constexpr std::string_view kPlace = "linux.resources.devices";

struct DefaultRule {
  char type;
  int64_t major, minor;
  uint8_t access;
};
// Making a node gives no access to the device. The others are config-linux.md's default devices;
// 5:2 and 136 are /dev/ptmx and the terminals of the container's own devpts. A TUN device works on
// the container's own network namespace and needs CAP_NET_ADMIN there; runc and crun allow it too,
// because VPN clients and user-mode networks in containers open it.
constexpr DefaultRule kDefaultRules[] = {
    {'c', kAnyNumber, kAnyNumber, kMknod},
    {'b', kAnyNumber, kAnyNumber, kMknod},
    {'c', 1, 3, kAllAccess},     // null
    {'c', 1, 5, kAllAccess},     // zero
    {'c', 1, 7, kAllAccess},     // full
    {'c', 1, 8, kAllAccess},     // random
    {'c', 1, 9, kAllAccess},     // urandom
    {'c', 5, 0, kAllAccess},     // tty
    {'c', 5, 1, kAllAccess},     // console
    {'c', 5, 2, kAllAccess},     // ptmx
    {'c', 10, 200, kAllAccess},  // net/tun
    {'c', 136, kAnyNumber, kAllAccess},
};

std::optional<uint8_t> parse_access(std::string_view letters) {
  if (letters.empty()) return kAllAccess;
  unsigned access = 0;
  for (char letter : letters) {
    switch (letter) {
      case 'm':
        access |= kMknod;
        break;
      case 'r':
        access |= kRead;
        break;
      case 'w':
        access |= kWrite;
        break;
      default:
        return std::nullopt;
    }
  }
  return static_cast<uint8_t>(access);
}

Result<int64_t> check_number(std::optional<int64_t> number, std::string_view place) {
  if (!number || *number == kAnyNumber) return kAnyNumber;
  // The kernel's dev_t has 12 bits of major and 20 of minor number; the v1 controller would take
  // more and never match.
  if (*number < 0 || *number > 0xfffff)
    return config_error(place, "no such device number: ", *number);
  return *number;
}

bool covers(int64_t wide, int64_t narrow) {
  return wide == kAnyNumber || wide == narrow;
}
bool covers(const DeviceRule& wide, const DeviceRule& narrow) {
  return wide.type == narrow.type && covers(wide.major, narrow.major) &&
         covers(wide.minor, narrow.minor);
}
bool overlaps(const DeviceRule& one, const DeviceRule& other) {
  return one.type == other.type &&
         (covers(one.major, other.major) || covers(other.major, one.major)) &&
         (covers(one.minor, other.minor) || covers(other.minor, one.minor));
}

// The v1 kernel wants one exception to cover the whole of an access such as "rw", so bits that are
// spread over a wide and a narrow exception are gathered in the narrow one.
void add_exception(std::vector<DeviceRule>& exceptions, DeviceRule added) {
  for (const DeviceRule& existing : exceptions) {
    if (covers(existing, added)) added.access |= existing.access;
  }
  for (const DeviceRule& existing : exceptions) {
    if (covers(existing, added) && existing.access == added.access) return;
  }
  std::erase_if(exceptions, [&](DeviceRule& existing) {
    if (!covers(added, existing)) return false;
    existing.access |= added.access;
    return existing.access == added.access;
  });
  exceptions.push_back(std::move(added));
}

// A rule that agrees with the default takes back what it covers of the exceptions.
Result<> remove_exceptions(std::vector<DeviceRule>& exceptions, const DeviceRule& rule) {
  for (const DeviceRule& existing : exceptions) {
    if ((existing.access & rule.access) == 0 || !overlaps(existing, rule) || covers(rule, existing))
      continue;
    return unsupported(rule.place, "cgroup v1 cannot ", rule.allow ? "allow" : "deny", " a part (",
                       render(rule), ") of what an earlier rule ", rule.allow ? "denies" : "allows",
                       " (", render(existing), ")");
  }
  std::erase_if(exceptions, [&](DeviceRule& existing) {
    if (covers(rule, existing))
      existing.access = static_cast<uint8_t>(existing.access & ~rule.access);
    return existing.access == 0;
  });
  return {};
}

Result<DevicePolicy> without_overlaps(const DevicePolicy& policy) {
  DevicePolicy additive{.default_allow = policy.default_allow, .rules = {}};
  for (const DeviceRule& rule : policy.rules) {
    if (rule.allow == policy.default_allow) {
      TRY(remove_exceptions(additive.rules, rule));
    } else {
      add_exception(additive.rules, rule);
    }
  }
  return additive;
}

// The same, said as what is allowed.
DevicePolicy denying_by_default(const DevicePolicy& policy) {
  DevicePolicy same{.default_allow = false, .rules = {}};
  for (const char type : {'c', 'b'}) {
    same.rules.push_back({true, type, kAnyNumber, kAnyNumber, kAllAccess, std::string(kPlace)});
  }
  same.rules.insert(same.rules.end(), policy.rules.begin(), policy.rules.end());
  return same;
}

}  // namespace

Result<DevicePolicy> build_device_policy(std::span<const spec::DeviceRule> rules) {
  DevicePolicy policy;
  for (size_t i = 0; i < rules.size(); i++) {
    const spec::DeviceRule& given = rules[i];
    const auto place = text<64>(kPlace, "[", i, "]");
    const std::optional<uint8_t> access = parse_access(given.access);
    if (!access)
      return config_error(place.view(), "access '", given.access,
                          "' may contain only the letters r, w and m");
    DeviceRule rule{.allow = given.allow, .access = *access, .place = std::string(place.view())};
    rule.major = TRY(check_number(given.major, place.view()));
    rule.minor = TRY(check_number(given.minor, place.view()));
    const bool any_device = rule.major == kAnyNumber && rule.minor == kAnyNumber;
    if (given.type == 'a' && any_device && rule.access == kAllAccess) {
      policy = {.default_allow = rule.allow, .rules = {}};
      continue;
    }
    for (char type : {'c', 'b'}) {
      if (given.type != type && given.type != 'a') continue;
      rule.type = type;
      policy.rules.push_back(rule);
    }
  }
  if (policy.allows_everything()) return policy;
  for (const DefaultRule& rule : kDefaultRules) {
    policy.rules.push_back(
        {true, rule.type, rule.major, rule.minor, rule.access, std::string(kPlace)});
  }
  return policy;
}

Result<DevicePolicy> additive_device_policy(const DevicePolicy& policy) {
  Result<DevicePolicy> additive = without_overlaps(policy);
  if (additive || !policy.default_allow) return additive;
  // "No writing but to null" has no exceptions from allowing all, but some from denying all. (Not
  // the other way round: a group below one that is restricted cannot allow all.)
  Result<DevicePolicy> other = without_overlaps(denying_by_default(policy));
  return other ? std::move(other) : std::move(additive);
}

std::string render(const DeviceRule& rule) {
  std::string line{rule.type, ' '};
  const auto number = [&](int64_t value) {
    if (value == kAnyNumber) {
      line += '*';
    } else {
      line += text<24>(value).view();
    }
  };
  number(rule.major);
  line += ':';
  number(rule.minor);
  line += ' ';
  if ((rule.access & kRead) != 0) line += 'r';
  if ((rule.access & kWrite) != 0) line += 'w';
  if ((rule.access & kMknod) != 0) line += 'm';
  return line;
}

}  // namespace onggi::plan
