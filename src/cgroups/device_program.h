// SPDX-License-Identifier: Apache-2.0
// Device rules for cgroup v2, which has no files for them: a BPF program that the kernel runs on
// every mknod(2) and open(2) of a device.
#pragma once

#include "base/result.h"
#include "plan/device_rules.h"

#include <linux/bpf.h>

#include <vector>

namespace onggi::cgroups {

// For BPF_PROG_TYPE_CGROUP_DEVICE: returns 1 to allow an access, 0 to refuse it.
Result<std::vector<bpf_insn>> build_device_program(const plan::DevicePolicy& policy);

// In place of the programs that are attached to `cgroup` (a directory's descriptor), without a
// moment in which there is none. A cgroup that was `just_made` has none.
Result<> attach_device_program(int cgroup, const plan::DevicePolicy& policy, bool just_made);

}  // namespace onggi::cgroups
