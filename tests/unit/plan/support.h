// SPDX-License-Identifier: Apache-2.0
// Hosts as values: a plan made for one of them is the same on any machine.
#pragma once

#include "plan/plan.h"
#include "spec/default_spec.h"
#include "spec/parse.h"
#include "spec/validate.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace onggi::test {

inline plan::HostFacts v2_host() {
  plan::HostFacts facts;
  facts.cgroup_layout = plan::CgroupLayout::v2;
  facts.cgroups = {
      {.mount_point = "/sys/fs/cgroup",
       .name = "",
       .controllers = {"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"},
       .own_path = "/",
       .unified = true}};
  facts.capabilities = (uint64_t{1} << 41) - 1;
  return facts;
}

inline plan::HostFacts v1_host() {
  plan::HostFacts facts;
  facts.cgroup_layout = plan::CgroupLayout::v1;
  for (const char* name : {"cpu,cpuacct", "devices", "memory", "pids"}) {
    plan::CgroupHierarchy hierarchy;
    hierarchy.mount_point = std::string("/sys/fs/cgroup/") + name;
    hierarchy.name = name;
    hierarchy.own_path = "/";
    for (std::string_view rest = name; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      hierarchy.controllers.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    facts.cgroups.push_back(std::move(hierarchy));
  }
  facts.capabilities = (uint64_t{1} << 41) - 1;
  return facts;
}

// Parsed, validated and planned; what goes wrong is the answer's error.
inline Result<plan::Plan> plan_of(const std::string& document, const plan::HostFacts& facts,
                                  plan::LaunchOptions options = {}) {
  const spec::Spec spec = TRY(spec::parse(document));
  TRY(spec::validate(spec));
  if (options.id.empty()) options.id = "web";
  if (options.bundle.empty()) options.bundle = "/bundle";
  return plan::build(spec, facts, options);
}

}  // namespace onggi::test
