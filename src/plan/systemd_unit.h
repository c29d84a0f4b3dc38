// SPDX-License-Identifier: Apache-2.0
// linux.cgroupsPath in systemd's form, "slice:prefix:name", and what it stands for. Pure.
#pragma once

#include "base/result.h"
#include "plan/cgroup_plan.h"

#include <string>
#include <string_view>

namespace onggi::plan {

// The names of the unit and of the slice that it belongs to.
struct UnitPath {
  std::string slice;  // "machine.slice", "-.slice" for the root
  std::string unit;   // "libpod-abc.scope", or a slice
};

// An empty `path` is the scope "onggi-<id>"; an empty slice is system.slice or, for units of a
// `user`'s manager, user.slice.
Result<UnitPath> parse_unit_path(std::string_view path, std::string_view id, bool user);

// The unit's cgroup below its manager's: "/a.slice/a-b.slice/web.scope" for a scope in "a-b.slice"
// (systemd.slice(5)).
std::string cgroup_of(const UnitPath& path);

}  // namespace onggi::plan
