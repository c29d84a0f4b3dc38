// SPDX-License-Identifier: Apache-2.0
// What a container's cgroup has used so far, the same for v1 and v2. What a kernel does not count
// is absent.
#pragma once

#include "base/result.h"
#include "cgroups/driver.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace onggi::cgroups {

// Documentation/accounting/psi.rst: shares of time as the kernel prints them ("0.12", per cent).
struct PressureLine {
  std::string avg10 = "0.00", avg60 = "0.00", avg300 = "0.00";
  uint64_t total = 0;  // microseconds
};
struct Pressure {
  PressureLine some, full;
};

struct CpuStats {
  uint64_t total = 0, kernel = 0, user = 0;                         // nanoseconds
  std::vector<uint64_t> per_cpu;                                    // nanoseconds; v1 only
  uint64_t periods = 0, throttled_periods = 0, throttled_time = 0;  // nanoseconds
  std::optional<Pressure> pressure;
};

struct CpusetStats {
  std::string cpus, mems;  // lists as the kernel prints them, "0-3,7"
};

// In bytes; a limit of UINT64_MAX is none.
struct MemoryUse {
  uint64_t limit = 0, usage = 0, max_usage = 0, fail_count = 0;
};

struct MemoryStats {
  uint64_t cache = 0;
  MemoryUse usage, swap;  // swap: memory and swap together, as v1 counts
  std::optional<MemoryUse> kernel, kernel_tcp;
  std::vector<std::pair<std::string, uint64_t>> raw;  // memory.stat
  std::optional<Pressure> pressure;
};

struct PidsStats {
  uint64_t current = 0, limit = 0;  // limit 0: none
};

struct BlockEntry {
  uint64_t major = 0, minor = 0;
  std::string operation;  // "Read", "Write", ...
  uint64_t value = 0;
};

struct BlockStats {
  std::vector<BlockEntry> bytes, operations;
  std::optional<Pressure> pressure;
};

struct HugepageStats {
  std::string page_size;  // "2MB"
  uint64_t usage = 0, max_usage = 0, fail_count = 0;
};

struct Stats {
  CpuStats cpu;
  CpusetStats cpuset;
  MemoryStats memory;
  PidsStats pids;
  BlockStats block;
  std::vector<HugepageStats> hugepages;
};

Result<Stats> read_stats(const Group& group);

// Tells when the kernel has killed a process for want of memory (v2: memory.events, v1:
// memory.oom_control), without polling.
class OomWatch {
 public:
  // Nothing: the group has no memory controller.
  static Result<std::optional<OomWatch>> open(const Group& group);

  // To poll for `events()`.
  int fd() const { return notification_.get(); }
  short events() const;
  // The number of kills since the last call.
  Result<uint64_t> take();

 private:
  OomWatch(UniqueFd notification, UniqueFd control, std::string path)
      : notification_(std::move(notification)),
        control_(std::move(control)),
        path_(std::move(path)) {}

  UniqueFd notification_;  // v2: memory.events itself; v1: an eventfd
  UniqueFd control_;       // v1: memory.oom_control, which has to stay open
  std::string path_;       // of memory.events
  uint64_t seen_ = 0;
};

}  // namespace onggi::cgroups
