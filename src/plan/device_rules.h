// SPDX-License-Identifier: Apache-2.0
// linux.resources.devices as one list in which the last rule that matches wins, each bit of the
// access for itself: what the v2 program runs and what is reduced to v1's additive exceptions.
#pragma once

#include "base/result.h"
#include "spec/spec.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace onggi::plan {

// Bits of DeviceRule::access, numbered as in <linux/bpf.h> (BPF_DEVCG_ACC_*).
inline constexpr uint8_t kMknod = 1, kRead = 2, kWrite = 4, kAllAccess = 7;

inline constexpr int64_t kAnyNumber = -1;

struct DeviceRule {
  bool allow = false;
  char type = 'c';  // c or b
  int64_t major = kAnyNumber, minor = kAnyNumber;
  uint8_t access = kAllAccess;
  std::string
      place;  // "linux.resources.devices[2]", of the default rules "linux.resources.devices"
};

struct DevicePolicy {
  bool default_allow = false;  // what no rule matches
  std::vector<DeviceRule> rules;

  bool allows_everything() const { return default_allow && rules.empty(); }
};

// The config's rules in their order, then the devices that every container has (config-linux.md,
// default devices). A rule for everything ("a" without numbers) makes all earlier ones void.
Result<DevicePolicy> build_device_policy(std::span<const spec::DeviceRule> rules);

// The same policy without a rule that overrides another: every rule is an exception from the
// default, the way the v1 controller keeps them. What v1 cannot say is an error.
Result<DevicePolicy> additive_device_policy(const DevicePolicy& policy);

// "c 1:3 rwm", as devices.allow takes it.
std::string render(const DeviceRule& rule);

}  // namespace onggi::plan
