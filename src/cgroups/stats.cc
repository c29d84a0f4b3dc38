// SPDX-License-Identifier: Apache-2.0
// Each value is read from whichever hierarchy has its file, so v1, v2 and both together are one
// case; a file that is not there counts nothing.
#include "cgroups/stats.h"

#include "base/directory.h"
#include "base/file.h"
#include "base/split.h"
#include "base/text.h"
#include "cgroups/directory.h"

#include <algorithm>
#include <string_view>

namespace onggi::cgroups {
namespace {

constexpr uint64_t kUnlimited = UINT64_MAX;
// v1 prints "no limit" as the greatest number of whole pages that fits.
constexpr uint64_t kUnlimitedV1 = uint64_t{1} << 62;
constexpr uint64_t kNanosecondsInMicrosecond = 1000;

using Pairs = std::vector<std::pair<std::string, uint64_t>>;

uint64_t number_in(std::string_view text) {
  if (text.starts_with("max")) return kUnlimited;
  const uint64_t value = parse_decimal<uint64_t>(text).value_or(0);
  return value >= kUnlimitedV1 ? kUnlimited : value;
}

// One of the container's groups, by what it has.
class Files {
 public:
  explicit Files(const Group& group) : group_(group) {}

  // The file's text, from the first hierarchy that has it; empty: none.
  Result<std::string> text(std::string_view file) const {
    for (const GroupDirectory& directory : group_.directories) {
      std::optional<std::string> content =
          TRY(read_control(directory.full_path().append("/").append(file)));
      if (!content) continue;
      if (content->ends_with('\n')) content->pop_back();
      return std::move(*content);
    }
    return std::string();
  }

  Result<uint64_t> number(std::string_view file) const {
    const std::string content = TRY(text(file));
    return number_in(content);
  }

  // Lines of "key value".
  Result<Pairs> pairs(std::string_view file) const {
    const std::string content = TRY(text(file));
    Pairs found;
    for (std::string_view line : lines_of(content)) {
      const size_t blank = line.find(' ');
      if (blank == std::string_view::npos) continue;
      found.emplace_back(line.substr(0, blank), number_in(line.substr(blank + 1)));
    }
    return found;
  }

  Result<std::optional<Pressure>> pressure(std::string_view file) const;

 private:
  const Group& group_;
};

uint64_t value_of(const Pairs& pairs, std::string_view key) {
  const auto found = std::ranges::find(pairs, key, &Pairs::value_type::first);
  return found == pairs.end() ? 0 : found->second;
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
PressureLine pressure_line(std::string_view line) {
  PressureLine parsed;
  const std::pair<std::string_view, std::string*> averages[] = {
      {"avg10=", &parsed.avg10}, {"avg60=", &parsed.avg60}, {"avg300=", &parsed.avg300}};
  constexpr std::string_view kTotal = "total=";
  for (std::string_view word : words_of(line)) {
    for (const auto& [key, to] : averages) {
      if (word.starts_with(key)) *to = word.substr(key.size());
    }
    if (word.starts_with(kTotal)) parsed.total = number_in(word.substr(kTotal.size()));
  }
  return parsed;
}

Result<std::optional<Pressure>> Files::pressure(std::string_view file) const {
  // Reading fails with EOPNOTSUPP where the kernel was booted without PSI.
  const Result<std::string> content = text(file);
  if (!content || content.value().empty()) return std::optional<Pressure>();
  std::optional<Pressure> pressure(std::in_place);
  for (std::string_view line : lines_of(content.value())) {
    (line.starts_with("some") ? pressure->some : pressure->full) = pressure_line(line);
  }
  return pressure;
}

Result<> read_cpu(const Files& files, CpuStats& cpu) {
  const Pairs pairs = TRY(files.pairs("cpu.stat"));
  cpu.periods = value_of(pairs, "nr_periods");
  cpu.throttled_periods = value_of(pairs, "nr_throttled");
  cpu.throttled_time = value_of(pairs, "throttled_time") +
                       value_of(pairs, "throttled_usec") * kNanosecondsInMicrosecond;
  cpu.total = value_of(pairs, "usage_usec") * kNanosecondsInMicrosecond;
  cpu.kernel = value_of(pairs, "system_usec") * kNanosecondsInMicrosecond;
  cpu.user = value_of(pairs, "user_usec") * kNanosecondsInMicrosecond;
  cpu.pressure = TRY(files.pressure("cpu.pressure"));
  const std::string per_cpu = TRY(files.text("cpuacct.usage_percpu"));
  if (per_cpu.empty()) return {};
  for (std::string_view word : words_of(per_cpu)) cpu.per_cpu.push_back(number_in(word));
  cpu.total = TRY(files.number("cpuacct.usage"));
  cpu.kernel = TRY(files.number("cpuacct.usage_sys"));
  cpu.user = TRY(files.number("cpuacct.usage_user"));
  return {};
}

Result<> read_cpuset(const Files& files, CpusetStats& cpuset) {
  for (const char* file : {"cpuset.effective_cpus", "cpuset.cpus.effective"}) {
    if (cpuset.cpus.empty()) cpuset.cpus = TRY(files.text(file));
  }
  for (const char* file : {"cpuset.effective_mems", "cpuset.mems.effective"}) {
    if (cpuset.mems.empty()) cpuset.mems = TRY(files.text(file));
  }
  return {};
}

Result<MemoryUse> legacy_use(const Files& files, const std::string& prefix) {
  MemoryUse use;
  use.limit = TRY(files.number(prefix + "limit_in_bytes"));
  use.usage = TRY(files.number(prefix + "usage_in_bytes"));
  use.max_usage = TRY(files.number(prefix + "max_usage_in_bytes"));
  use.fail_count = TRY(files.number(prefix + "failcnt"));
  return use;
}

uint64_t sum(uint64_t one, uint64_t other) {
  return one == kUnlimited || other == kUnlimited ? kUnlimited : one + other;
}

Result<> read_memory(const Files& files, MemoryStats& memory) {
  memory.raw = TRY(files.pairs("memory.stat"));
  memory.pressure = TRY(files.pressure("memory.pressure"));
  if (!TRY(files.text("memory.usage_in_bytes")).empty()) {
    memory.cache = value_of(memory.raw, "cache");
    memory.usage = TRY(legacy_use(files, "memory."));
    memory.swap = TRY(legacy_use(files, "memory.memsw."));
    memory.kernel = TRY(legacy_use(files, "memory.kmem."));
    memory.kernel_tcp = TRY(legacy_use(files, "memory.kmem.tcp."));
    return {};
  }
  memory.cache = value_of(memory.raw, "file");
  const Pairs events = TRY(files.pairs("memory.events"));
  memory.usage = {.limit = TRY(files.number("memory.max")),
                  .usage = TRY(files.number("memory.current")),
                  .max_usage = TRY(files.number("memory.peak")),
                  .fail_count = value_of(events, "max")};
  const Pairs swap_events = TRY(files.pairs("memory.swap.events"));
  memory.swap = {.limit = sum(memory.usage.limit, TRY(files.number("memory.swap.max"))),
                 .usage = memory.usage.usage + TRY(files.number("memory.swap.current")),
                 .max_usage = memory.usage.max_usage + TRY(files.number("memory.swap.peak")),
                 .fail_count = memory.usage.fail_count + value_of(swap_events, "fail")};
  return {};
}

Result<> read_pids(const Files& files, PidsStats& pids) {
  pids.current = TRY(files.number("pids.current"));
  const uint64_t limit = TRY(files.number("pids.max"));
  pids.limit = limit == kUnlimited ? 0 : limit;
  return {};
}

// "8:0 Read 4096", and a line "Total 4096" at the end.
std::vector<BlockEntry> legacy_entries(std::string_view text) {
  std::vector<BlockEntry> entries;
  for (std::string_view line : lines_of(text)) {
    const std::vector<std::string_view> words = words_of(line).all();
    if (words.size() != 3) continue;
    const std::vector<std::string_view> numbers = split(words[0], ':').all();
    if (numbers.size() != 2) continue;
    entries.push_back({.major = number_in(numbers[0]),
                       .minor = number_in(numbers[1]),
                       .operation = std::string(words[1]),
                       .value = number_in(words[2])});
  }
  return entries;
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"
void add_unified_line(std::string_view line, BlockStats& block) {
  struct Row {
    std::string_view key;
    const char* operation;
    std::vector<BlockEntry> BlockStats::*list;
  };
  static constexpr Row kRows[] = {
      {"rbytes=", "Read", &BlockStats::bytes},     {"wbytes=", "Write", &BlockStats::bytes},
      {"dbytes=", "Discard", &BlockStats::bytes},  {"rios=", "Read", &BlockStats::operations},
      {"wios=", "Write", &BlockStats::operations}, {"dios=", "Discard", &BlockStats::operations},
  };
  const std::vector<std::string_view> words = words_of(line).all();
  const std::vector<std::string_view> numbers = split(words.empty() ? "" : words[0], ':').all();
  if (numbers.size() != 2) return;
  for (std::string_view word : words) {
    for (const Row& row : kRows) {
      if (!word.starts_with(row.key)) continue;
      (block.*row.list)
          .push_back({.major = number_in(numbers[0]),
                      .minor = number_in(numbers[1]),
                      .operation = row.operation,
                      .value = number_in(word.substr(row.key.size()))});
    }
  }
}

Result<> read_block(const Files& files, BlockStats& block) {
  const std::string unified = TRY(files.text("io.stat"));
  for (std::string_view line : lines_of(unified)) add_unified_line(line, block);
  block.pressure = TRY(files.pressure("io.pressure"));
  // BFQ counts for itself what it has served; without it the throttling layer does.
  for (const char* layer : {"blkio.bfq.", "blkio.throttle."}) {
    const std::string prefix = layer;
    if (block.bytes.empty())
      block.bytes = legacy_entries(TRY(files.text(prefix + "io_service_bytes_recursive")));
    if (block.operations.empty())
      block.operations = legacy_entries(TRY(files.text(prefix + "io_serviced_recursive")));
  }
  return {};
}

Result<std::vector<std::string>> hugepage_sizes() {
  std::vector<std::string> sizes;
  const long opened = sys::openat(AT_FDCWD, "/sys/kernel/mm/hugepages", O_RDONLY | O_DIRECTORY);
  if (opened < 0) return sizes;
  const UniqueFd directory(opened);
  DirectoryReader reader(directory.get());
  while (const DirectoryReader::Entry* entry = TRY(reader.next())) {
    // "hugepages-2048kB" is "2MB" in the names of the cgroup's files.
    std::string_view name = entry->name();
    constexpr std::string_view kPrefix = "hugepages-", kSuffix = "kB";
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(kSuffix.size());
    uint64_t size = parse_decimal<uint64_t>(name).value_or(0);
    const char* units[] = {"KB", "MB", "GB"};
    size_t unit = 0;
    for (; unit < 2 && size >= 1024 && size % 1024 == 0; unit++) size /= 1024;
    sizes.push_back(std::to_string(size) + units[unit]);
  }
  std::ranges::sort(sizes);
  return sizes;
}

Result<> read_hugepages(const Files& files, std::vector<HugepageStats>& list) {
  for (const std::string& size : TRY(hugepage_sizes())) {
    const std::string prefix = "hugetlb." + size + ".";
    if (!TRY(files.text(prefix + "current")).empty()) {
      const Pairs events = TRY(files.pairs(prefix + "events"));
      list.push_back({.page_size = size,
                      .usage = TRY(files.number(prefix + "current")),
                      .fail_count = value_of(events, "max")});
    } else if (!TRY(files.text(prefix + "usage_in_bytes")).empty()) {
      list.push_back({.page_size = size,
                      .usage = TRY(files.number(prefix + "usage_in_bytes")),
                      .max_usage = TRY(files.number(prefix + "max_usage_in_bytes")),
                      .fail_count = TRY(files.number(prefix + "failcnt"))});
    }
  }
  return {};
}

}  // namespace

Result<Stats> read_stats(const Group& group) {
  if (group.directories.empty())
    return state_error("the container has no cgroup: no statistics are available");
  const Files files(group);
  Stats stats;
  TRY(read_cpu(files, stats.cpu));
  TRY(read_cpuset(files, stats.cpuset));
  TRY(read_memory(files, stats.memory));
  TRY(read_pids(files, stats.pids));
  TRY(read_block(files, stats.block));
  TRY(read_hugepages(files, stats.hugepages));
  return stats;
}

}  // namespace onggi::cgroups
