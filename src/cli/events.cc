// SPDX-License-Identifier: Apache-2.0
// The keys are those of runc's `events`, which go-runc decodes.
#include "cli/events.h"

#include "base/json_writer.h"
#include "commandline/duration.h"
#include "runtime/events.h"
#include "spec/number_list.h"

namespace onggi::cli {
namespace {

using namespace cgroups;

void write_pressure(JsonWriter& json, const std::optional<Pressure>& pressure) {
  if (!pressure) return;
  json.key("psi").begin_object();
  const std::pair<const char*, const PressureLine&> lines[] = {{"some", pressure->some},
                                                               {"full", pressure->full}};
  for (const auto& [name, line] : lines) {
    json.key(name).begin_object();
    json.key("avg10").number(line.avg10).key("avg60").number(line.avg60);
    json.key("avg300").number(line.avg300).field("total", line.total).end_object();
  }
  json.end_object();
}

void write_cpu(JsonWriter& json, const CpuStats& cpu) {
  json.key("cpu").begin_object().key("usage").begin_object().field("total", cpu.total);
  if (!cpu.per_cpu.empty()) json.field("percpu", cpu.per_cpu);
  json.field("kernel", cpu.kernel).field("user", cpu.user).end_object();
  json.key("throttling").begin_object().field("periods", cpu.periods);
  json.field("throttledPeriods", cpu.throttled_periods);
  json.field("throttledTime", cpu.throttled_time).end_object();
  write_pressure(json, cpu.pressure);
  json.end_object();
}

// "0-2,7" is [0,1,2,7].
std::vector<uint32_t> numbers_of(std::string_view list) {
  std::vector<uint32_t> numbers;
  for (const spec::NumberRange& range :
       spec::parse_number_list(list).value_or(std::vector<spec::NumberRange>())) {
    for (uint32_t i = range.first; i <= range.last; i++) numbers.push_back(i);
  }
  return numbers;
}

void write_cpuset(JsonWriter& json, const CpusetStats& cpuset) {
  json.key("cpuset").begin_object().field("cpus", numbers_of(cpuset.cpus));
  json.field("mems", numbers_of(cpuset.mems)).end_object();
}

void write_use(JsonWriter& json, const char* name, const MemoryUse& use) {
  json.key(name).begin_object().field("limit", use.limit).field("usage", use.usage);
  json.field("max", use.max_usage).field("failcnt", use.fail_count).end_object();
}

void write_memory(JsonWriter& json, const MemoryStats& memory) {
  json.key("memory").begin_object().field("cache", memory.cache);
  write_use(json, "usage", memory.usage);
  write_use(json, "swap", memory.swap);
  if (memory.kernel) write_use(json, "kernel", *memory.kernel);
  if (memory.kernel_tcp) write_use(json, "kernelTCP", *memory.kernel_tcp);
  json.key("raw").begin_object();
  for (const auto& [key, value] : memory.raw) json.field(key, value);
  json.end_object();
  write_pressure(json, memory.pressure);
  json.end_object();
}

void write_entries(JsonWriter& json, const char* name, const std::vector<BlockEntry>& entries) {
  json.key(name).begin_array();
  for (const BlockEntry& entry : entries) {
    json.begin_object().field("major", entry.major).field("minor", entry.minor);
    json.field("op", entry.operation).field("value", entry.value).end_object();
  }
  json.end_array();
}

void write_block(JsonWriter& json, const BlockStats& block) {
  json.key("blkio").begin_object();
  write_entries(json, "ioServiceBytesRecursive", block.bytes);
  write_entries(json, "ioServicedRecursive", block.operations);
  write_pressure(json, block.pressure);
  json.end_object();
}

void write_hugepages(JsonWriter& json, const std::vector<HugepageStats>& list) {
  json.key("hugetlb").begin_object();
  for (const HugepageStats& each : list) {
    json.key(each.page_size).begin_object().field("usage", each.usage);
    json.field("max", each.max_usage).field("failcnt", each.fail_count).end_object();
  }
  json.end_object();
}

class Printer : public EventSink {
 public:
  explicit Printer(std::string_view id) : id_(id) {}
  Result<> stats(const Stats& stats) override {
    TRY(print(stats_event(id_, stats)));
    return {};
  }
  Result<> out_of_memory() override {
    TRY(print(oom_event(id_)));
    return {};
  }

 private:
  std::string_view id_;
};

}  // namespace

std::string stats_event(std::string_view id, const Stats& stats) {
  JsonWriter json;
  json.begin_object().field("type", "stats").field("id", id).key("data").begin_object();
  write_cpu(json, stats.cpu);
  write_cpuset(json, stats.cpuset);
  write_memory(json, stats.memory);
  json.key("pids").begin_object().field("current", stats.pids.current);
  json.field("limit", stats.pids.limit).end_object();
  write_block(json, stats.block);
  write_hugepages(json, stats.hugepages);
  json.end_object().end_object();
  return std::move(json).take() + "\n";
}

std::string oom_event(std::string_view id) {
  JsonWriter json;
  json.begin_object().field("type", "oom").field("id", id).end_object();
  return std::move(json).take() + "\n";
}

Result<int> events_command(const Context& context, const EventsOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  const std::string_view id = context.operands[0];
  if (options.stats) {
    const Stats stats = TRY(container_stats(runtime, id));
    return print(stats_event(id, stats));
  }
  const std::optional<int64_t> interval = parse_duration(options.interval);
  if (!interval || *interval == 0) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "--interval: invalid time '", options.interval, "'"),
        "at least 1ms: a number of seconds, or with units, such as 1s, 100ms or 1h30m");
  }
  Printer printer(id);
  TRY(watch_container(runtime, id, *interval, printer));
  return 0;
}

}  // namespace onggi::cli
