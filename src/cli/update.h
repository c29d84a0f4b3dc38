// SPDX-License-Identifier: Apache-2.0
// The limits that `update` takes, as a document or one by one.
#pragma once

#include "cli/command.h"

namespace onggi::cli {

struct UpdateOptions {
  std::string resources;  // a file, or "-"
  std::string block_weight, cpu_period, cpu_quota, cpu_shares, cpu_burst, cpu_idle;
  std::string cpu_realtime_period, cpu_realtime_runtime, cpuset_cpus, cpuset_mems;
  std::string memory, memory_reservation, memory_swap, kernel_memory, kernel_memory_tcp, pids_limit;
  std::string l3_cache_schema, memory_bandwidth_schema;
};

Result<int> update_command(const Context& context, const UpdateOptions& options);

// The change that the options ask for. Its text points into `options`.
Result<spec::Spec> change_of(const UpdateOptions& options);

}  // namespace onggi::cli
