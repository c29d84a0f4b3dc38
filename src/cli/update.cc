// SPDX-License-Identifier: Apache-2.0
// Engines pass a document (--resources), people single limits; both become the same values.
#include "cli/update.h"

#include "base/file.h"
#include "base/size.h"
#include "spec/parse.h"

#include <unistd.h>

#include <limits>

namespace onggi::cli {
namespace {

using spec::Resources;

template <class T>
T& value_of(std::optional<T>& part) {
  return part ? *part : part.emplace();
}

template <auto Member>
auto& memory(Resources& resources) {
  return value_of(resources.memory).*Member;
}
template <auto Member>
auto& cpu(Resources& resources) {
  return value_of(resources.cpu).*Member;
}
auto& block_weight(Resources& resources) {
  return value_of(resources.block_io).weight;
}
auto& pids_limit(Resources& resources) {
  return resources.pids_limit;
}

template <class T>
Result<> assign_checked(std::optional<T>& to, std::optional<int64_t> number, const char* name,
                        const std::string& text, std::string_view wanted) {
  if (!number || !std::in_range<T>(*number)) {
    return with_hint(
        make_error(ErrorKind::invalid_config, "--", name, ": '", text, "' is not a valid value"),
        wanted);
  }
  to = static_cast<T>(*number);
  return {};
}

template <auto Field>
Result<> number(Resources& resources, const char* name, const std::string& text) {
  return assign_checked(Field(resources), parse_decimal<int64_t>(text), name, text, "a number");
}
template <auto Field>
Result<> size(Resources& resources, const char* name, const std::string& text) {
  return assign_checked(Field(resources), parse_size(text), name, text,
                        "a number of bytes, or with k, m, g; -1: unlimited");
}
template <auto Field>
Result<> list(Resources& resources, const char*, const std::string& text) {
  Field(resources) = text;
  return {};
}

struct LimitRow {
  const char* name;  // of the option, for its error
  std::string UpdateOptions::*text;
  Result<> (*assign)(Resources& resources, const char* name, const std::string& text);
};
constexpr LimitRow kLimits[] = {
    {"blkio-weight", &UpdateOptions::block_weight, number<block_weight>},
    {"cpu-period", &UpdateOptions::cpu_period, number<cpu<&spec::Cpu::period>>},
    {"cpu-quota", &UpdateOptions::cpu_quota, number<cpu<&spec::Cpu::quota>>},
    {"cpu-share", &UpdateOptions::cpu_shares, number<cpu<&spec::Cpu::shares>>},
    {"cpu-burst", &UpdateOptions::cpu_burst, number<cpu<&spec::Cpu::burst>>},
    {"cpu-idle", &UpdateOptions::cpu_idle, number<cpu<&spec::Cpu::idle>>},
    {"cpu-rt-period", &UpdateOptions::cpu_realtime_period,
     number<cpu<&spec::Cpu::realtime_period>>},
    {"cpu-rt-runtime", &UpdateOptions::cpu_realtime_runtime,
     number<cpu<&spec::Cpu::realtime_runtime>>},
    {"cpuset-cpus", &UpdateOptions::cpuset_cpus, list<cpu<&spec::Cpu::cpus>>},
    {"cpuset-mems", &UpdateOptions::cpuset_mems, list<cpu<&spec::Cpu::mems>>},
    {"memory", &UpdateOptions::memory, size<memory<&spec::Memory::limit>>},
    {"memory-reservation", &UpdateOptions::memory_reservation,
     size<memory<&spec::Memory::reservation>>},
    {"memory-swap", &UpdateOptions::memory_swap, size<memory<&spec::Memory::swap>>},
    {"kernel-memory", &UpdateOptions::kernel_memory, size<memory<&spec::Memory::kernel>>},
    {"kernel-memory-tcp", &UpdateOptions::kernel_memory_tcp,
     size<memory<&spec::Memory::kernel_tcp>>},
    {"pids-limit", &UpdateOptions::pids_limit, number<pids_limit>},
};

Result<spec::Spec> read_change(const std::string& file) {
  const bool standard_input = file == "-";
  const std::string document =
      standard_input ? TRY(read_all(STDIN_FILENO, "standard input", spec::kMaxDocumentSize))
                     : TRY(read_file(AT_FDCWD, file, spec::kMaxDocumentSize));
  return spec::parse_update(document, document_name("--resources", file));
}

}  // namespace

Result<spec::Spec> change_of(const UpdateOptions& options) {
  spec::Spec change;
  bool any = false;
  for (const LimitRow& row : kLimits) {
    const std::string& text = options.*row.text;
    if (text.empty()) continue;
    any = true;
    TRY(row.assign(value_of(change.linux.resources), row.name, text));
  }
  if (any && !options.resources.empty())
    return make_error(ErrorKind::invalid_config,
                      "--resources cannot be combined with other limits");
  if (!options.resources.empty()) change = TRY(read_change(options.resources));
  if (!options.l3_cache_schema.empty() || !options.memory_bandwidth_schema.empty()) {
    spec::IntelRdt& service = change.linux.intel_rdt.emplace();
    service.l3_cache_schema = options.l3_cache_schema;
    service.mem_bw_schema = options.memory_bandwidth_schema;
  }
  if (change.linux.resources || change.linux.intel_rdt) return change;
  return with_hint(make_error(ErrorKind::invalid_config, "nothing to update"),
                   "pass --resources FILE or a limit; see 'onggi help update'");
}

Result<int> update_command(const Context& context, const UpdateOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  spec::Spec change = TRY(change_of(options));
  TRY(update_container(runtime, context.operands[0], change));
  return 0;
}

}  // namespace onggi::cli
